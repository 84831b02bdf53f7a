"""`make demo`: starts Copydesk, serves the HTML seeds from a local web server, submits every seed, shows the cards."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SEEDS = Path(__file__).parent
COPYDESK = str(Path(sys.executable).with_name("copydesk"))


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves the seeds without a line for each request."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def main() -> int:
    """Returns the exit code of the last step that failed, else 0."""
    texts = sorted(str(path) for path in SEEDS.glob("*.txt"))
    with serve_pages() as site, copydesk() as api:
        pages = [f"{site}/{path.name}" for path in sorted(SEEDS.glob("*.html"))]
        submitted = subprocess.run([COPYDESK, "submit", "--url", api, *texts, *pages], check=False).returncode
        count = str(len(texts) + len(pages))
        command = [COPYDESK, "tail", "--url", api, "--after", "oldest", "--count", count, "--excerpt"]
        return subprocess.run(command, check=False).returncode or submitted


@contextmanager
def serve_pages() -> Iterator[str]:
    """Serves the HTML seeds on a free port of loopback; yields the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=SEEDS)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def copydesk() -> Iterator[str]:
    """Runs `copydesk up` on free ports with a data folder that is thrown away; yields the API's URL."""
    settings = {"COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8", "COPYDESK_LOG_FORMAT": "json"}
    with tempfile.TemporaryDirectory(prefix="copydesk-demo-") as data:
        command = [COPYDESK, "up", "--port", "0", "--ops-port", "0", "--data", data]
        with subprocess.Popen(command, env=os.environ | settings, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield wait_for_api(process)
            finally:
                process.terminate()
                process.communicate()


def wait_for_api(process: subprocess.Popen[str]) -> str:
    """Returns the API's URL once `process` logs that it listens; reads on after, so that the log's pipe stays empty."""
    log = process.stderr
    if log is None:
        raise ValueError("the log of the process is not piped")
    for line in log:
        entry = json.loads(line)
        if entry["event"] == "listening" and entry["what"] == "api":
            threading.Thread(target=log.read, daemon=True).start()
            return str(entry["url"])
    raise SystemExit("copydesk up ended before it listened")


if __name__ == "__main__":
    sys.exit(main())
