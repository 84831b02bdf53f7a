import random
import re
import statistics
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.duplicates import SKETCH_HASHES, similarity
from workers.normalise import fingerprint
from workers.normalise.fingerprint import content_sha256, shingles

WORDS = [
    f"{first}{last}" for first in ("ka", "lo", "mi", "ru", "te", "vo") for last in ("n", "sta", "rim", "del", "pa")
]


def prose(seed: int, words: int = 400) -> list[str]:
    return random.Random(seed).choices(WORDS, k=words)  # noqa: S311 - a text, not a secret


def simhash(text: str) -> str:
    return shingles(text).simhash


def alike(one: str, other: str) -> float:
    return similarity(b64decode(shingles(one).sketch), b64decode(shingles(other).sketch))


def distance(one: str, other: str) -> int:
    return (int(simhash(one), 16) ^ int(simhash(other), 16)).bit_count()


def test_sha256_is_of_the_text_in_utf8() -> None:
    assert content_sha256("café") == "850f7dc43910ff890f8879c0ed26fe697c93a067ad93a7d50f466a7028a9bf4e"


def test_simhash_of_known_texts_never_changes() -> None:
    assert simhash("") == "0" * 16
    assert simhash("The quick brown fox jumps over the lazy dog.") == "77b12fe87cf06675"
    assert simhash("敏捷的棕色狐狸跳过了懒狗") == "02e0caa7a0104311"


def test_case_punctuation_and_line_breaks_do_not_count() -> None:
    assert simhash("The quick brown fox!") == simhash("the “quick”\n\nBROWN fox")


def test_near_texts_are_near() -> None:
    distances = []
    for seed in range(20):
        words = prose(seed)
        distances.append(distance(" ".join(words), " ".join([*words[:200], "edited", *words[202:]])))

    assert statistics.fmean(distances) < 4  # 2.7 expected: 64 bits times the angle of vectors of which 1 % differs
    assert max(distances) <= 10


def test_the_order_of_words_counts() -> None:
    words = prose(1)

    assert distance(" ".join(words), " ".join(reversed(words))) >= 16


def test_different_texts_are_far() -> None:
    distances = [distance(" ".join(prose(seed)), " ".join(prose(seed + 100))) for seed in range(20)]

    assert min(distances) >= 16


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    text = "".join(chr(0x4E00 + ord(letter) % 97 * 7 + at % 50) for at, letter in enumerate(" ".join(prose(3))))

    assert distance(text, text[:500] + "新" + text[500:]) <= 6
    assert distance(text, text[::-1]) >= 16


def test_a_chunk_edge_between_words_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"{number:04}" for number in range(30))
    whole = simhash(text)

    monkeypatch.setattr(fingerprint, "_CHUNK_CHARS", len("0000 ") * 4)

    assert simhash(text) == whole


@given(st.text())
def test_simhash_is_16_hex_digits(text: str) -> None:
    assert re.fullmatch("[0-9a-f]{16}", simhash(text.encode("utf-8", "replace").decode()))


def test_sketches_of_known_texts_never_change() -> None:
    assert shingles("").sketch == ""
    assert shingles("The quick brown fox jumps over the lazy dog.").sketch == "HrVv01OxOWVbESSodDn+aHWEttirKGem59avPA=="
    assert shingles("敏捷的棕色狐狸跳过了懒狗").sketch == "AuDvhw7oasEqh0LXR6QCa3Mlh2CW1I2jpZD2HsZnOrXK6sqv2un6rg=="


def test_a_sketch_holds_the_smallest_hashes_in_order() -> None:
    few, many = (b64decode(shingles(" ".join(prose(5, words))).sketch) for words in (20, 2000))
    for sketch in (few, many):
        hashes = [sketch[at : at + 4] for at in range(0, len(sketch), 4)]
        assert hashes == sorted(set(hashes))
    assert (len(few), len(many)) == (18 * 4, SKETCH_HASHES * 4)
    assert max(many[at : at + 4] for at in range(0, len(many), 4)) < b"\x20", "64 of 2,000 are below a tenth"


def test_similarity_is_exact_for_short_texts() -> None:
    assert alike("", "") == 1
    assert alike("one two three", "") == 0
    assert alike("one two three four", "one two three five") == 1 / 3
    assert alike("one two three four", "ONE, two\n\nthree four!") == 1


def test_similarity_of_long_texts_is_estimated() -> None:
    for shared in (0.0, 0.5, 0.8, 0.95):
        estimates = []
        for seed in range(20):
            own, other = prose(seed, 2000), prose(seed + 100, 2000)
            common = round(2000 * 2 * shared / (1 + shared))
            estimates.append(alike(" ".join(own), " ".join(own[:common] + other[common:])))
        assert statistics.fmean(estimates) == pytest.approx(shared, abs=0.06)
