"""A real browser, headless Chromium, by the DevTools protocol. It finds no host but this machine."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = "chromium"  # Debian's
START_S = 60
LOOK_EVERY_S = 0.1
_OFFLINE = "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


class Page:
    """One page. `requests` are the URLs that it requested, `complaints` the browser's errors about it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message["method"], message["params"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown" or (method == "Log.entryAdded" and told["entry"]["level"] == "error"):
            self.complaints.append(str(told))

    async def open(self, url: str) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.command(f"{domain}.enable")
        await self.command("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - JSON
        """Returns what an expression is in the page."""
        answer = await self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:  # noqa: ANN401 - JSON
        """Polls until an expression is true in the page, and returns it."""
        async with asyncio.timeout(START_S):
            while not (value := await self.evaluate(expression)):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)
        return value

    async def click(self, selector: str) -> None:
        """Clicks on an element once it is there."""
        await self.until(f"Boolean(document.querySelector({selector!r}))")
        await self.evaluate(f"document.querySelector({selector!r}).click()")


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Page]:
    """Starts a browser with an empty profile, and yields its page."""
    switches = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
    )
    command = [CHROMIUM, *switches, f"--host-resolver-rules={_OFFLINE}", f"--user-data-dir={profile}"]
    process = await asyncio.create_subprocess_exec(
        *command, "--remote-debugging-port=0", "about:blank", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json") as answer:
                (page,) = [tab for tab in await answer.json() if tab["type"] == "page"]
            async with http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.terminate()
        await process.wait()


async def _port(file: Path) -> str:
    async with asyncio.timeout(START_S):
        while not file.exists() or not file.read_text():  # noqa: ASYNC110, ASYNC240 - a browser rings no bell
            await asyncio.sleep(LOOK_EVERY_S)
    return file.read_text().splitlines()[0]  # noqa: ASYNC240 - a few bytes
