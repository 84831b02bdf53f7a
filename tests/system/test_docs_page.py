"""The page at /docs in a real browser: it works under its own policy, and asks nobody but this server."""

from pathlib import Path

import pytest

from tests.system.browser import browser
from tests.system.processes import running

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

POST = "#operations-Posting-post_document"
STATUS = f"{POST} .live-responses-table tbody .response-col_status"
ADD_STYLE = "document.body.appendChild(document.createElement('style')).textContent = 'p { color: red }'"


async def test_the_page_shows_the_api_and_tries_a_request(tmp_path: Path) -> None:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path / "data")) as up:
        api = up.wait_for_urls("api")["api"]
        async with browser(tmp_path / "profile") as page:
            await page.open(f"{api}/docs")
            await page.click(f"{POST} .opblock-summary-control")
            await page.click(f"{POST} .try-out__btn")
            await page.click(f"{POST} .execute")
            status = await page.until(f"document.querySelector('{STATUS}')?.innerText")
            assert status.startswith("202")
            assert page.complaints == []  # a violation of the policy is one
            assert [url for url in page.requests if not url.startswith((f"{api}/", "data:"))] == []


async def test_a_violation_of_the_policy_is_noticed(tmp_path: Path) -> None:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path / "data")) as up:
        async with browser(tmp_path / "profile") as page:
            await page.open(f"{up.wait_for_urls('api')['api']}/docs")
            await page.until("Boolean(document.querySelector('.opblock'))")
            await page.evaluate(ADD_STYLE)
            await page.until("true")
            assert "Content Security Policy" in str(page.complaints)
