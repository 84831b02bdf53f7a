"""Binary files and text are distinguished by their bytes."""

import base64
import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.binary import file_kind, is_binary
from contract.faults import InvalidSubmissionError
from contract.submission import check_submission
from workers.decode import decode

ENGLISH = "The council voted on Tuesday to move the ferry landing to the northern quay before the summer.\n" * 20
RUSSIAN = (
    "Паром больше не ходит по воскресеньям, сообщил во вторник начальник порта, а мост закрыт на ремонт до весны. "
)
JAPANESE = "町議会は火曜日に、渡し船の乗り場を北の岸へ移すことを決めました。工事は来年の春に始まる予定です。" * 4
NOISE = random.Random(1).randbytes(4000)  # noqa: S311 - the same noise in every run


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30, 30, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(NOISE)) + chunk(b"IEND", b"")


def zipped(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, ENGLISH)
    return file.getvalue()


def database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table a (b)")
        return connection.serialize()


def mp3() -> bytes:
    return b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"".join(b"\xff\xfb\x90\x64" + NOISE[at : at + 413] for at in (0, 413))


def java_class() -> bytes:
    names = [b"java/lang/Object", b"<init>", b"()V", b"Code", b"LineNumberTable", b"main", b"Ferry", b"SourceFile"]
    pool = b"".join(b"\x01" + struct.pack(">H", len(name)) + name for name in names)
    return b"\xca\xfe\xba\xbe\x00\x00\x00\x41\x00\x09" + pool + b"\x00\x21\x00\x02\x00\x04\x00\x00\x00\x00\x00\x01" * 3


NO_TEXT = [
    ("PDF", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", "PDF"),
    ("PNG", png(), "PNG"),
    ("JPEG", b"\xff\xd8\xff\xe0" + NOISE, "JPEG"),
    ("ZIP", zipped("a.txt"), "ZIP (as are .docx, .odt and .epub)"),
    ("docx", zipped("word/document.xml"), "ZIP (as are .docx, .odt and .epub)"),
    ("gzip", gzip.compress(ENGLISH.encode()), "gzip"),
    ("ELF", Path(sys.executable).resolve().read_bytes()[:100_000], "ELF"),
    ("SQLite", database(), "SQLite"),
    ("RTF", rb"{\rtf1\ansi{\fonttbl\f0\fswiss Helvetica;}\f0\pard The council voted.\par}", "RTF"),
    ("PostScript", b"%!PS-Adobe-3.0\n/Helvetica findfont 12 scalefont setfont\n", "PostScript"),
    # recognised not by their first bytes, but by their share of control characters
    ("mp3", mp3(), None),
    ("class", java_class(), None),
    ("bzip2", bz2.compress(NOISE), None),
    ("xz", lzma.compress(NOISE), None),
    ("noise", NOISE, None),
    ("PDF after a line break", b"\n%PDF-1.7\nstream\n" + zlib.compress(NOISE) + b"\nendstream", None),
    ("NULs between words", ENGLISH.replace(" ", "\0 ").encode(), None),
    ("UTF-32", JAPANESE.encode("utf-32"), None),
    # neither here nor in browsers is UTF-16 without a byte order mark recognised where it is not mostly Latin
    ("Russian in UTF-16 without a mark", (RUSSIAN * 3).encode("utf-16-le"), None),
    ("Japanese in UTF-16 without a mark", JAPANESE.encode("utf-16-be"), None),
]
TEXT = [
    ("English in UTF-16 without a mark", ENGLISH, ENGLISH.encode("utf-16-le")),
    ("Russian in UTF-16", RUSSIAN, RUSSIAN.encode("utf-16")),
    ("Shift_JIS", JAPANESE, JAPANESE.encode("cp932")),
    ("base64", None, base64.encodebytes(NOISE)),
    ("a terminal's colours", None, "".join(f"\x1b[1;32m{word}\x1b[0m\x1b[K " for word in ENGLISH.split()).encode()),
    ("a manual page's overstrikes", None, "".join(f"{char}\b{char}" for char in ENGLISH).encode()),
    ("pages out of a PDF", None, "".join(f"{number}\n\f" for number in range(200)).encode()),
    ("a NUL after each sentence", None, ENGLISH.replace(".", ".\0").encode()),
    ("padding", ENGLISH + "\0" * 8192, ENGLISH.encode() + b"\0" * 8192),
    ("a short text with controls", None, b"\x01\x02\x03a\x04\x05"),
    ("EBCDIC, which no charset of the web is", None, ENGLISH.encode("cp037")),
]


def text_of(body: bytes) -> str:
    """Returns the text that a posted body is, as the service and `extract` read it."""
    text = decode(body, None).text
    content = check_submission({"text": text}).submission.content
    assert content is not None
    return content


@pytest.mark.parametrize(("body", "kind"), [row[1:] for row in NO_TEXT], ids=[row[0] for row in NO_TEXT])
def test_binary_content_is_refused(body: bytes, kind: str | None) -> None:
    assert file_kind(body) == kind
    if kind is None:
        with pytest.raises(InvalidSubmissionError) as refused:
            text_of(body)
        (fault,) = refused.value.faults
        assert (fault.field, fault.rule) == ("text", "binary")
        assert "control characters" in fault.message


@pytest.mark.parametrize(("text", "body"), [row[1:] for row in TEXT], ids=[row[0] for row in TEXT])
def test_text_is_accepted(text: str | None, body: bytes) -> None:
    assert file_kind(body) is None
    read = text_of(body)
    assert text in {None, read}


@pytest.mark.parametrize(
    "body", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0", b"\0" * 1000, b"\xef\xbb\xbf \0"]
)
def test_blank_content_is_reported_as_empty(body: bytes) -> None:
    with pytest.raises(InvalidSubmissionError, match="must hold more than white space"):
        text_of(body)


@pytest.mark.parametrize(
    ("controls", "others", "binary"), [(15, 0, False), (16, 0, True), (16, 304, False), (16, 303, True)]
)
def test_the_threshold_is_16_controls_and_5_percent(controls: int, others: int, *, binary: bool) -> None:
    assert is_binary("\x01" * controls + "a" * others) is binary


@given(
    st.text(st.sampled_from("\x00\x07\x08\x09\x0d\x0e\x1a\x1b\x1c\x1f\x7f\x85\ufffd\ud800aé\U0001f4f0"), min_size=16)
)
def test_a_text_is_as_binary_as_its_characters_say(text: str) -> None:
    ends = text.rstrip("\0")
    controls = sum((c < " " and c not in "\x08\t\n\v\f\r\x1b") or c == "\ufffd" for c in ends)
    binary = controls >= 16 and controls > 0.05 * len(ends)
    assert is_binary(text) is binary
    if "\ud800" not in text:
        for in_json in (orjson.dumps(text), json.dumps(text).encode()):
            assert is_binary(text, len(in_json)) is binary
