import numpy as np

from workers.pasted.line_windows import best_cut, best_run


def stays(probabilities: list[float], lengths: list[float], recall_worth: float = 1.0) -> list[bool]:
    found = best_cut(np.array(probabilities, np.float32), np.array(lengths, np.float32), recall_worth)
    return list(map(bool, found))


def run(probabilities: list[float], lengths: list[float]) -> range:
    return best_run(np.array(probabilities, np.float32), np.array(lengths, np.float32))


def test_sure_lines_stay_and_unlikely_ones_go() -> None:
    assert stays([0.02, 0.99, 0.9, 0.03], [5, 50, 40, 5]) == [False, True, True, False]


def test_unsure_lines_stay_if_few_lines_are_sure() -> None:
    assert stays([0.45, 0.4], [10, 10]) == [True, True]


def test_the_threshold_is_half_of_the_best_f1() -> None:
    assert stays([1.0, 0.45], [100, 10]) == [True, False]


def test_where_recall_is_worth_more_more_stays() -> None:
    probabilities, lengths = [1.0, 0.55, 0.4], [100.0, 10.0, 10.0]
    assert stays(probabilities, lengths, 0.5) == [True, False, False]
    assert stays(probabilities, lengths, 1.0) == [True, True, False]
    assert stays(probabilities, lengths, 2.0) == [True, True, True]


def test_without_likely_lines_none_stay() -> None:
    assert stays([], []) == []
    assert stays([0.0, 0.0], [3, 4]) == [False, False]


def test_the_run_has_most_of_what_is_likely() -> None:
    assert run([0.9, 0.01, 0.01, 0.9, 0.4, 0.95, 0.02], [5, 20, 20, 60, 3, 60, 9]) == range(3, 6)
    assert run([0.1, 0.2], [5, 5]) == range(0)
    assert run([], []) == range(0)
