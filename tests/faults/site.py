"""A small web site on loopback: pages that answer at once, and pages that fail at first."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread

PARAGRAPH = (
    "<p>The harbour council voted on Tuesday evening to move landing number {0} two hundred metres up the coast, after "
    "the second flood in a year left the old pier under water for most of a week.</p>"
)


class Site(ThreadingHTTPServer):
    """Answers `/page/N` with an article, and `/shy/N` with 503 the first time, then with an article."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self._asked: set[str] = set()
        self._lock = Condition()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def is_first(self, path: str) -> bool:
        """Returns True if this is the first request for `path`."""
        with self._lock:
            first = path not in self._asked
            self._asked.add(path)
            self._lock.notify_all()
            return first

    def wait_until_asked_for(self, count: int) -> None:
        """Returns when `count` shy pages were asked for."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self._asked) >= count, timeout=120)


class Page(BaseHTTPRequestHandler):
    """One request."""

    server: Site

    def do_GET(self) -> None:
        _, kind, number = self.path.split("/")
        if kind == "shy" and self.server.is_first(self.path):
            self.send_error(503)
            return
        heading = f"Harbour council votes on landing {number}"
        body = f"<html lang=en><title>{heading}</title><article><h1>{heading}</h1>{PARAGRAPH.format(number) * 2}"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def site() -> Iterator[Site]:
    """Serves the site for as long as the context is open."""
    with Site() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
