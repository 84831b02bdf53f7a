import numpy as np

from workers.pasted.cut import best_cut


def stays(probabilities: list[float], lengths: list[float]) -> list[bool]:
    return list(map(bool, best_cut(np.array(probabilities, np.float32), np.array(lengths, np.float32))))


def test_sure_lines_stay_and_unlikely_ones_go() -> None:
    assert stays([0.02, 0.99, 0.9, 0.03], [5, 50, 40, 5]) == [False, True, True, False]


def test_what_is_half_sure_stays_where_little_is_sure() -> None:
    assert stays([0.45, 0.4], [10, 10]) == [True, True]


def test_the_threshold_is_half_of_the_best_f1() -> None:
    assert stays([1.0, 0.45], [100, 10]) == [True, False]


def test_nothing_stays_of_nothing() -> None:
    assert stays([], []) == []
    assert stays([0.0, 0.0], [3, 4]) == [False, False]
