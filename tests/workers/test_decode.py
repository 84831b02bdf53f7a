import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workers.decode import decode

GERMAN = "Grüße aus München, schöne Straßen und überhaupt"


@pytest.mark.parametrize(
    ("body", "declared", "text", "charset"),
    [
        pytest.param(b"", None, "", "utf-8", id="empty"),
        pytest.param(GERMAN.encode(), None, GERMAN, "utf-8", id="valid UTF-8"),
        pytest.param(codecs.BOM_UTF8 + GERMAN.encode(), "latin-1", GERMAN, "utf-8", id="BOM before HTTP"),
        pytest.param(codecs.BOM_UTF16_LE + GERMAN.encode("utf-16-le"), None, GERMAN, "utf-16le", id="UTF-16 by BOM"),
        pytest.param("“é”".encode("cp1252"), "ISO-8859-1", "“é”", "windows-1252", id="latin-1 means windows-1252"),
        pytest.param("“é”".encode("cp1252"), ' "latin-1" ', "“é”", "windows-1252", id="Python's label, quoted"),
        pytest.param("日本語".encode("cp932"), "Shift_JIS", "日本語", "shift_jis", id="HTTP"),
        pytest.param(
            "<meta charset=windows-1251>Да".encode("cp1251"),
            None,
            "<meta charset=windows-1251>Да",
            "windows-1251",
            id="meta",
        ),
        pytest.param(
            '<?xml version="1.0" encoding="windows-1251"?>Да'.encode("cp1251"),
            "no-such-charset",
            '<?xml version="1.0" encoding="windows-1251"?>Да',
            "windows-1251",
            id="XML declaration",
        ),
        pytest.param(
            "<!-- <meta charset=koi8-r> -->é".encode(), None, "<!-- <meta charset=koi8-r> -->é", "utf-8", id="comment"
        ),
        pytest.param(
            "<meta charset=utf-16>é".encode(), None, "<meta charset=utf-16>é", "utf-8", id="no UTF-16 in ASCII"
        ),
        pytest.param(GERMAN.encode("cp1252"), "utf-8", GERMAN, "windows-1252", id="declared, but it does not fit"),
        pytest.param("é".encode() * 50 + b"\xc3", "utf-8", "é" * 50 + "\ufffd", "utf-8", id="cut in a character"),
        pytest.param(
            "Это русский текст про погоду и море".encode("cp1251"),
            None,
            "Это русский текст про погоду и море",
            "windows-1251",
            id="guessed",
        ),
        pytest.param(b"caf\xe9", None, "café", "windows-1252", id="too short to guess"),
    ],
)
def test_decode(body: bytes, declared: str | None, text: str, charset: str) -> None:
    assert decode(body, declared) == (text, charset)


@pytest.mark.parametrize(
    "label", ["utf-7", "rot13", "hex", "idna", "unicode_escape", "x-user-defined", "\ud800", "a\0b"]
)
def test_labels_that_are_no_charset_of_the_web_are_passed_over(label: str) -> None:
    assert decode(b"+AGE- plain", label) == ("+AGE- plain", "utf-8")


@given(st.binary(max_size=2000), st.one_of(st.none(), st.text(max_size=20)))
@example(bytes(range(256)), "iso-2022-jp")
def test_never_raises(body: bytes, declared: str | None) -> None:
    text, charset = decode(body, declared)
    assert isinstance(text, str)
    assert charset
