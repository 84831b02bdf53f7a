"""Requests as bytes: well-formed ones to every route, and damaged or malicious variants."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

SECRET = "canary-secret-91b4"
TEXT = "canary-text-c07d"

METHODS = [
    *("GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT"),
    *("PROPFIND", "QUERY", "get", "G\x01T", "", "PRI"),
]
ODD_TARGETS = [
    *("*", "/%", "/%00", "/%ff%fe", "/..//../v1/dead", "//", "/v1/dead/%2e%2e/retry", "/a b", "/?" + "a=b&" * 500),
    *("http://localhost/", "http://localhost:8080/v1/events", "http://example.com/", "http://", "https://[::1]/"),
    *("localhost:80", "/" + "a" * 8200, "/\u00e9", "/#fragment", "/v1/documents;a=b", "\\", ""),
]
QUERIES = [
    *("?last=0", "?after=oldest", "?after=99999999999999999999", "?pattern=%23", "?pattern=a..b"),
    *("?limit=1", "?limit=0", "?all=true", "?reason=no_article", "?body=true", "?lane=bulk&formats=text,html"),
    *("?url=http://[", "?keep_all=maybe", "?a=%", "?=", "?&&", "?last=1&last=2", "?order=%C3%28"),
]
HOSTS = [
    *("127.0.0.1:8080", "[::1]:1", "LOCALHOST.", "example.com", "", "a b"),
    *("localhost:x", "[", "\u00e9", "localhost\x00", "localhost, localhost", "user@localhost"),
]
VERSIONS = ["1.0", "0.9", "2.0", "9.9", "1.10", "x"]
MEDIA_TYPES = [
    *("application/json", "text/plain", "text/html", "text/plain; charset=utf-16", "text/html; charset=gbk"),
    *("text/plain; charset=punycode", "text/plain; charset=\x00", "text/plain; charset=", "multipart/form-data"),
    *("multipart/form-data; boundary=a", "application/x-www-form-urlencoded", "application/pdf", ";", "a" * 3000),
    *(
        "application/x-ndjson",
        "application/x-ndjson; charset=gbk",
        'multipart/form-data; boundary="',
        "multipart/mixed",
    ),
    *("application/x-ndjson; boundary=a", "multipart/form-data; boundary=" + "a" * 2000),
]
FIELDS = [
    *(f"Authorization: Bearer {SECRET}", f"Authorization: Basic {SECRET}", f"Authorization: {SECRET}"),
    *(f"Idempotency-Key: {SECRET}", f"Idempotency-Key: {SECRET}\u00e9", f"Cookie: a={SECRET}"),
    *("Origin: http://example.com", "Origin: null", "Origin: http://[", "Origin: http://localhost:1"),
    *("Expect: 100-continue", "Expect: canary", "Connection: close", "Connection: keep-alive, upgrade"),
    *("Upgrade: websocket", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: Upgrade"),
    *("Last-Event-ID: 1", "Last-Event-ID: -1", "Last-Event-ID: \u00b2", "Accept: application/openmetrics-text"),
    *("Accept: */*;q=x", "Accept-Encoding: gzip, br;q=0", "Range: bytes=0-0", "If-None-Match: *", "TE: trailers"),
    *("Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: zstd", "Content-Encoding: gzip, gzip"),
    *("Content-Encoding: deflate", "Content-Encoding: \u00e9", "X: " + "a" * 8200, "X" * 9000 + ": a", "X : a"),
    *(": a", "X", "X: \x01", " X: folded", "Content-Type: text/plain", "Host: localhost", "Sec-WebSocket-Key1: a"),
    *(
        "Content-Length: 3",
        "Transfer-Encoding: chunked",
        "X-Forwarded-Host: example.com",
        "Forwarded: host=a",
    ),
]
_FORM = (
    f'--a\r\nContent-Disposition: form-data; name="{SECRET}"; filename="a.html"\r\n\r\n<p>{TEXT}\r\n'
    f'--a\r\nContent-Disposition: form-data; name="\u00e9\x00\r\n\r\n{TEXT}\r\n--a\r\n\r\n\r\n--a--\r\n'
).encode()
BODIES = [
    b"",
    f'{{"text": "{TEXT}"}}'.encode(),
    f'{{"html": "<p>{TEXT}", "url": "http://127.0.0.1:9/", "options": {{"lane": "bulk"}}}}'.encode(),
    f'{{"text": "{TEXT}", "metadata": {{"title": "{TEXT}", "published": "{TEXT}"}}}}'.encode(),
    f'{{"url": "http://user:{SECRET}@127.0.0.1:9/"}}'.encode(),
    f'{{"text": "{TEXT}'.encode(),
    f'{{"text": ["{TEXT}"]}}'.encode(),
    b"[" * 2000,
    f'{{"text": "{TEXT}"}}\n\r\n{{"text": "{TEXT}", "idempotency_key": "{SECRET} "}}\nnull\n[]\n"{TEXT}'.encode(),
    f'{{"text": "{TEXT}", "decoded": {{"charset": "{SECRET}\u00e9", "source": "{SECRET}"}}}}\n'.encode() * 100,
    b"\n" * 100_000,
    _FORM,
    _FORM[:-9],
    _FORM + _FORM,
    b"--a\r\n" * 1000,
    b"--a\r\nContent-Disposition: " + b"a" * 10_000 + b"\r\n\r\n\r\n--a--",
    gzip.compress(f'{{"text": "{TEXT}"}}\n'.encode() * 20_000),
    b'{"text": ' + b"9" * 5000 + b"}",
    b'{"text": "\\ud800"}',
    f"{TEXT} ".encode() * 20,
    f"{TEXT} \u00e9".encode("utf-16"),
    TEXT.encode() + b"\xff\xfe\x00",
    gzip.compress(TEXT.encode() * 100),
    gzip.compress(TEXT.encode() * 100)[:-9],
    gzip.compress(b"a" * 6_000_000),
]
CODINGS = [
    *("chunked", "Chunked", "chunked, chunked", "gzip, chunked", "chunked, identity", "identity", "xchunked"),
    *("\x0bchunked", "chunked\x00", '"chunked"', "chunked;a=b", ""),
]
LENGTHS = ["+5", "-1", "0x5", "5, 5", "5, 6", "99999999999999999999", "1e3", "", " 5 ", "5 5", "\u0665"]
CHUNK_SIZES = [
    *(b"5", b"05", b"5;a=b", b"5;" + b"a" * 500, b"0x5", b"-5", b"5 ", b"FFFFFFFFFFFFFFFFF", b"g", b"", b"5\x00"),
]
CHUNK_ENDS = [
    *(b"0\r\n\r\n", b"0\r\nTrailer: a\r\n\r\n", b"0\r\n", b"0\n\n", b"", b"00\r\n\r\n"),
    b"0\r\nHost: example.com\r\n\r\n",
]
FRAMINGS = ["length", "length", "length", "chunks", "chunks", "odd length", "odd coding", "both", "none"]
SECOND = f"GET /v1/dead HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes sent on one connection, in parts that are sent one by one."""

    parts: tuple[bytes, ...]


Route = tuple[str, str]
"""A method and a path."""

ASPECTS = [
    "method",
    "target",
    "query",
    "host",
    "version",
    "media type",
    "fields",
    "framing",
    "line end",
    "tail",
    "body",
]
GOOD_BODIES = [(1, "application/json"), (2, "application/json"), (6, "text/plain"), (6, "text/html")]


def sent(routes: Sequence[Route]) -> st.SearchStrategy[Sent]:
    """Returns the strategy for the bytes that go over a connection to a server with `routes`."""
    whole, mutated, garbage = _requests(routes), _mutated(routes), _garbage()
    raw = st.sampled_from([whole, whole, whole, mutated, mutated, garbage]).flatmap(lambda chosen: chosen)
    return st.builds(_split, raw, st.floats(0, 1))


def _split(raw: bytes, place: float) -> Sent:
    cut = int(len(raw) * place)
    return Sent((raw[:cut], raw[cut:]))


@st.composite
def _requests(draw: st.DrawFn, routes: Sequence[Route]) -> bytes:
    """Draws a request to one of the routes that is odd in none, one or some aspects."""
    odd = draw(st.sets(st.sampled_from(ASPECTS), max_size=draw(st.sampled_from([1, 1, 1, 2, len(ASPECTS)]))))

    def some(aspect: str, values: Sequence[str], good: str) -> str:
        return draw(st.sampled_from(values)) if aspect in odd else good

    method, path = draw(st.sampled_from(routes))
    place, media_type = draw(st.sampled_from(GOOD_BODIES))
    body = draw(st.sampled_from(BODIES)) if "body" in odd else BODIES[place] if method == "POST" else b""
    framing, framed = draw(_framed(body)) if "framing" in odd else _with_length(body)
    fields = [
        f"Host: {some('host', HOSTS, 'localhost')}",
        f"Content-Type: {some('media type', MEDIA_TYPES, media_type)}",
    ]
    fields += framing + draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4)) if "fields" in odd else framing
    target = some("target", ODD_TARGETS, path) + some("query", QUERIES, "")
    first = f"{some('method', METHODS, method)} {target} HTTP/{some('version', VERSIONS, '1.1')}"
    end = some("line end", ["\n", "\r", "\r\n\r\n"], "\r\n")
    tail = draw(st.sampled_from([SECOND, b"\r\n\r\n", b"\x00"])) if "tail" in odd else b""
    return end.join([first, *fields, "", ""]).encode() + framed + tail


def _with_length(body: bytes) -> tuple[list[str], bytes]:
    return ([f"Content-Length: {len(body)}"] if body else []), body


@st.composite
def _framed(draw: st.DrawFn, body: bytes) -> tuple[list[str], bytes]:
    """Draws the fields that say where a body ends, right or wrong, and the body as it is sent with them."""
    kind = draw(
        st.sampled_from(["length", "length", "length", "chunks", "chunks", "odd length", "odd coding", "both", "none"])
    )
    match kind:
        case "length":
            return _with_length(body)
        case "chunks":
            return ["Transfer-Encoding: chunked"], _chunked(draw, body)
        case "odd length":
            wrong = [*LENGTHS, str(len(body) + 10), str(max(0, len(body) - 10))]
            return [f"Content-Length: {draw(st.sampled_from(wrong))}"], body
        case "odd coding":
            return [f"Transfer-Encoding: {draw(st.sampled_from(CODINGS))}"], _chunked(draw, body)
        case "both":
            return [f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"], _chunked(draw, body) + SECOND
        case _:
            return [], body


def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    whole = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    odd = draw(st.sampled_from([b"", b"", b"", *(size + b"\r\naaaaa\r\n" for size in CHUNK_SIZES)]))
    return whole + odd + draw(st.sampled_from([CHUNK_ENDS[0]] * 4 + CHUNK_ENDS))


@st.composite
def _mutated(draw: st.DrawFn, routes: Sequence[Route]) -> bytes:
    raw = bytearray(draw(_requests(routes)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 8))
        match draw(st.sampled_from(["insert", "replace", "drop", "double", "end", "flip"])):
            case "insert":
                raw[at:at] = draw(st.binary(max_size=8))
            case "replace":
                raw[at : at + length] = draw(st.binary(max_size=8))
            case "drop":
                del raw[at : at + length]
            case "double":
                raw[at:at] = raw[at : at + length * 8]
            case "end":
                del raw[max(at, 1) :]
            case _ if at < len(raw):
                raw[at] ^= 1 << draw(st.integers(0, 7))
            case _:
                pass
    return bytes(raw)


def _garbage() -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.binary(max_size=300),
        st.just(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200)),
        st.just(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(30)),
        st.just(b"\r\n" * 500),
        st.just(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 3000),
    )
