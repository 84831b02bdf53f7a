"""Counts the true pages that the fetcher refuses (as walls, soft 404s, challenges, other media types) or redirects.

    python -m bench.fetch_walls FOLDER

FOLDER holds *.jsonl.zst, a page a line: `url`, `html`, `truth` with `text` or None.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yarl import URL

from bench.documents import read
from workers.failures import Failed
from workers.fetch import media, refresh
from workers.fetch.page_head import title_of
from workers.walls import answer

_LEAST_CHARS = 500  # of text; chosen: a shorter text may be an error page


def pages(path: Path) -> Iterator[dict[str, Any]]:
    return (page for page in read(path) if page.get("html"))


def outcome_of(page: dict[str, Any]) -> str:
    """Returns `taken`, or the reason or redirect for which the fetcher does not take the page."""
    body = page["html"].encode()
    try:
        answer.refuse_challenge_page(body)
        media.media_type_of("text/html", body)
        if target := refresh.page_target(URL(page["url"] or "http://example.com/page"), body, "utf-8"):
            return f"sent on to {target}"
        answer.refuse_title(title_of(body, "utf-8"), body)
    except Failed as failed:
        return f"{failed.reason}: {failed.detail}"
    return "taken"


def main() -> None:
    for path in sorted(Path(sys.argv[1]).glob("*.jsonl.zst")):
        outcomes: Counter[str] = Counter()
        for page in pages(path):
            text = (page.get("truth") or {}).get("text") or ""
            outcome = outcome_of(page)
            outcomes[outcome if outcome == "taken" else "not taken"] += 1
            if outcome != "taken":
                print(f"  {page['url']}: {outcome} ({len(page['html'])} chars, {len(text)} of text)")
        if outcomes:
            print(f"{path.name}: {dict(outcomes)}")


if __name__ == "__main__":
    main()
