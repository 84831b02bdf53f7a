import pytest

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.media import READERS, Reader, check_declared, essence, media_type_of

XHTML = b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">\n<html xmlns="http://www.w3.org/1999/xhtml">'
RSS = b'<?xml version="1.0"?><!-- news --><rss version="2.0"><channel>'
ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom">'


@pytest.mark.parametrize(
    ("content_type", "body", "media_type"),
    [
        ("text/html; charset=utf-8", b"words", "text/html"),
        ("TEXT/HTML", b"", "text/html"),
        ("text/html", XHTML, "text/html"),
        ("application/xhtml+xml", XHTML, "application/xhtml+xml"),
        ("application/xml", XHTML, "application/xhtml+xml"),
        ("text/xml", b"<html><body>", "application/xhtml+xml"),
        ("text/plain", b"words", "text/plain"),
        ("text/plain", b"<html>", "text/plain"),
        ("text/plain; charset=utf-16", "\ufeffwörds".encode("utf-16-le"), "text/plain"),
        ("text/markdown", b"# Words", "text/markdown"),
        ("text/x-markdown", b"# Words", "text/x-markdown"),
        ("", b"<!DOCTYPE html><p>", "text/html"),
        ("", b"\xef\xbb\xbf\r\n <HTML lang=en>", "text/html"),
        ("", b"<!-- page -->\n<html>", "text/html"),
        ("", b"<div>words</div>", "text/html"),
        ("", "\ufeff<html><p>".encode("utf-16-le"), "text/html"),
        ("", "\ufeff<html><p>".encode("utf-16-be"), "text/html"),
        ("", XHTML, "application/xhtml+xml"),
        ("", b"plain words", "text/plain"),
        ("", b"", "text/plain"),
        ("unknown/unknown", b"<html>", "text/html"),
        ("*/*", b"plain words", "text/plain"),
    ],
)
def test_text_types_are_accepted(content_type: str, body: bytes, media_type: str) -> None:
    assert media_type_of(check_declared(essence(content_type)), body) == media_type


@pytest.mark.parametrize(
    ("content_type", "body", "named"),
    [
        ("application/pdf", b"", "application/pdf"),
        ("Image/PNG; q=1", b"", "image/png"),
        ("application/octet-stream", b"<html>", "application/octet-stream"),
        ("application/json", b"{}", "application/json"),
        ("application/rss+xml", RSS, "application/rss+xml"),
        ("text/html", b"%PDF-1.7", "application/pdf"),
        ("text/html", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("text/html", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("text/html", b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("text/html", b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        ("text/html", b"PK\x03\x04", "application/zip"),
        ("text/html", b"\x1f\x8b\x08\x00", "application/gzip"),
        ("text/html", RSS, "application/rss+xml"),
        ("text/html", ATOM, "application/atom+xml"),
        ("text/xml", RSS, "application/rss+xml"),
        ("application/xml", b"<?xml version='1.0'?><urlset>", "application/xml"),
        ("text/plain", b"words\x00\x01\x02", "application/octet-stream"),
        ("text/markdown", b"%PDF-1.7", "application/pdf"),
        ("", b"%PDF-1.7", "application/pdf"),
        ("", b"GIF89a\x01\x00", "image/gif"),
        ("", ATOM, "application/atom+xml"),
        ("", b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml"),
        ("", b"\x00\x01\x02words", "application/octet-stream"),
    ],
)
def test_other_types_are_refused_by_name(content_type: str, body: bytes, named: str) -> None:
    with pytest.raises(Failed) as failed:
        media_type_of(check_declared(essence(content_type)), body)
    assert (failed.value.reason, failed.value.detail) == (Reason.UNSUPPORTED_MEDIA_TYPE, named)


def test_each_type_has_a_reader() -> None:
    assert {media_type for media_type, reader in READERS.items() if reader is Reader.HTML} == {
        "text/html",
        "application/xhtml+xml",
    }
