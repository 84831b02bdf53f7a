"""Pictures of panels, as Prometheus' own graphs draw their queries: docs/operating.md has them."""

import base64
import urllib.parse
from pathlib import Path

from tests.system.boards import Query
from tests.system.browser import Page, browser

# The panels of one query whose pictures are in the docs, by name of the file.
PICTURED = {
    "accepted": ("overview", "Accepted"),
    "verdicts": ("overview", "Verdicts"),
    "decided": ("overview", "From 202 to the verdict"),
    "fetches": ("fetch", "Outcomes"),
    "deliveries": ("subscribers", "Deliveries to webhooks"),
    "confirmed": ("broker", "Confirmed publishes of Copydesk"),
}
MOST_BYTES = 60_000  # of one picture; chosen: they are part of the repository
RANGE = "1m"  # what a picture shows; chosen: less than the load has lasted
_WIDTH, _HEIGHT = 760, 900  # of the window, in pixels; the height is more than a graph needs
_DRAWN = "document.querySelectorAll('.graph svg path.path').length > 0"
# Hides what belongs to no graph: buttons, menus, tabs. The query stays.
_BARE = """document.head.insertAdjacentHTML('beforeend', `<style>nav, .query-history, .form-inline, .text-right,
  .nav-tabs, .prometheus_input_group, .eval_stats { display: none !important }
  body { padding: 0 !important }</style>`)"""
_AREA = """(() => {
  const box = document.querySelector('.graph_wrapper').getBoundingClientRect();
  return {x: 0, y: Math.max(0, box.top), width: window.innerWidth, height: box.height, scale: 0.7};
})()"""


async def take(prometheus: str, wanted: list[Query], profile: Path, folder: Path) -> None:
    """Writes a PNG of each of `PICTURED` into `folder`."""
    async with browser(profile) as page:
        await page.command(
            "Emulation.setDeviceMetricsOverride", width=_WIDTH, height=_HEIGHT, deviceScaleFactor=1, mobile=False
        )
        for name, (board, panel) in PICTURED.items():
            (query,) = (one for one in wanted if (one.board, one.panel) == (board, panel))
            (folder / f"{name}.png").write_bytes(await _picture(page, prometheus, query))
    sizes = {name: (folder / f"{name}.png").stat().st_size for name in PICTURED}
    assert max(sizes.values()) <= MOST_BYTES, sizes


async def _picture(page: Page, prometheus: str, query: Query) -> bytes:
    graph = {"g0.expr": query.expression, "g0.tab": "0", "g0.range_input": RANGE, "g0.step_input": "2"}
    await page.open(f"{prometheus}/classic/graph?{urllib.parse.urlencode(graph)}")
    await page.until(_DRAWN)
    await page.evaluate(_BARE)
    clip = await page.evaluate(_AREA)
    return base64.b64decode((await page.command("Page.captureScreenshot", format="png", clip=clip))["data"])
