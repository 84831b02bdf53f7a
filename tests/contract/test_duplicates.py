from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.duplicates import (
    BANDS,
    MOST_BITS,
    NEAR,
    SKETCH_HASHES,
    DuplicateKind,
    DuplicateOf,
    Earlier,
    Signature,
    compared,
    is_near,
    original_of,
    signature_of,
    similarity,
)

FIELDS = {"content_sha256": "ab" * 32, "simhash": "0123456789abcdef", "sketch": "", "canonical_url": None}
HASHES = st.integers(0, 2**64 - 1)


def sketch(*hashes: int) -> bytes:
    return b"".join(each.to_bytes(4) for each in sorted(hashes))


def article(
    document_id: str = "a", *, content: int = 1, url: int | None = None, simhash: int = 0, words: bytes = b""
) -> Earlier:
    signature = Signature(content=content, url=url, simhash=simhash, sketch=words)
    return Earlier(document_id=document_id, decided_ms=1, signature=signature)


def made(**changes: str | None) -> Signature | None:
    fields = {**FIELDS, **changes}
    return signature_of(
        content_sha256=fields["content_sha256"],
        simhash=fields["simhash"],
        sketch=fields["sketch"],
        canonical_url=fields["canonical_url"],
    )


def test_a_signature_is_made_of_the_fields_of_an_event() -> None:
    signature = made(sketch=b64encode(sketch(1, 2)).decode(), canonical_url="https://example.org/a")
    assert signature is not None
    assert (signature.simhash, signature.sketch) == (0x0123456789ABCDEF, sketch(1, 2))
    assert signature.content == 0xABABABABABABABAB >> 1
    assert signature.bands == (0xCDEF, 0x89AB, 0x4567, 0x0123)


def test_the_scheme_of_a_url_makes_no_difference_and_the_rest_does() -> None:
    urls = ("https://example.org/a", "http://example.org/a", "https://example.org/b", None)
    hashes = [signature.url for url in urls if (signature := made(canonical_url=url)) is not None]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3
    assert hashes[-1] is None


@pytest.mark.parametrize(
    "changes",
    [{"sketch": None}, {"sketch": "!"}, {"simhash": "xyz"}, {"simhash": ""}, {"content_sha256": None}],
)
def test_what_is_malformed_has_no_signature(changes: dict[str, str | None]) -> None:
    assert made(**changes) is None


def test_a_sketch_of_any_length_is_read() -> None:
    for size in (1, 3, 5, 4 * SKETCH_HASHES + 4):
        signature = made(sketch=b64encode(b"x" * size).decode())
        assert signature is not None
        assert similarity(signature.sketch, signature.sketch) == 1


@given(HASHES, st.sets(st.integers(0, 63), max_size=MOST_BITS))
def test_hashes_that_are_near_share_a_band(simhash: int, flipped: set[int]) -> None:
    other = simhash ^ sum(1 << bit for bit in flipped)
    bands = [article(simhash=each).signature.bands for each in (simhash, other)]
    assert is_near(simhash, other)
    assert len(bands[0]) == BANDS
    assert any(one == two for one, two in zip(*bands, strict=True))


@given(HASHES)
def test_a_bit_more_is_too_far(simhash: int) -> None:
    assert not is_near(simhash, simhash ^ 0x8000_0001_0001_0001)


def test_equal_texts_are_duplicates() -> None:
    found = compared(article("b").signature, article("a"))
    assert found == DuplicateOf("a", DuplicateKind.CONTENT, 1.0)


def test_texts_whose_hashes_are_near_need_shingles_in_common() -> None:
    ten = sketch(*range(1, 11))
    own = article(simhash=0, words=ten).signature
    near = article("n", content=2, simhash=7, words=sketch(*range(1, 10)))
    assert compared(own, near) == DuplicateOf("n", DuplicateKind.NEAR, 0.9)
    unlike = replace(near, signature=replace(near.signature, sketch=sketch(*range(1, 8))))
    assert compared(own, unlike) is None


def test_texts_whose_hashes_are_far_are_near_if_they_share_a_lowest_hash() -> None:
    own = article(simhash=0, words=sketch(*range(1, 11))).signature
    far = article("n", content=2, simhash=2**64 - 1, words=sketch(*range(2, 11)))
    assert compared(own, far) == DuplicateOf("n", DuplicateKind.NEAR, 0.9)
    later = replace(far, signature=replace(far.signature, sketch=sketch(*range(3, 11))))
    assert similarity(own.sketch, later.signature.sketch) == NEAR
    assert compared(own, later) is None
    assert compared(own, replace(later, signature=replace(later.signature, simhash=0))) is not None


def test_texts_without_words_have_no_lowest_hash() -> None:
    assert article().signature.lowest == ()
    assert article(words=sketch(5)).signature.lowest == (5,)
    assert article(words=sketch(7, 6, 5)).signature.lowest == (5, 6)


def test_a_url_says_how_much_of_its_text_is_left() -> None:
    own = article(url=5, words=sketch(1, 2, 3, 4)).signature
    changed = article("u", content=2, url=5, simhash=2**64 - 1, words=sketch(4, 5, 6, 7))
    found = compared(own, changed)
    assert found == DuplicateOf("u", DuplicateKind.URL, round(1 / 7, 3))
    assert not found.has_same_text
    assert DuplicateOf("u", DuplicateKind.URL, NEAR).has_same_text
    assert compared(replace(own, url=None), replace(changed, signature=replace(changed.signature, url=None))) is None


def test_of_several_the_most_similar_counts_then_the_kind_then_the_first() -> None:
    own = article(url=5, words=sketch(*range(10))).signature
    near = article("near", content=2, words=sketch(*range(9)))
    url = article("url", content=3, url=5, simhash=2**64 - 1, words=sketch(*range(9)))
    same = article("same", url=None, words=sketch(*range(10)))
    later = replace(article("later"), decided_ms=2)

    def original(*known: Earlier) -> str | None:
        found = original_of("own", own, known)
        return None if found is None else found.id

    assert original(near, url) == original(url, near) == "url"
    assert original(near, same, url) == "same"
    assert original(later, same) == "same"
    assert original() is None


def test_nothing_is_a_duplicate_of_itself_or_of_its_own_duplicate() -> None:
    own, other = article("own"), replace(article("other"), original="own")
    assert original_of("own", own.signature, [own, other]) is None
    assert original_of("third", own.signature, [other]) == DuplicateOf("other", DuplicateKind.CONTENT, 1.0)
