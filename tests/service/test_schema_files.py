"""GET /schemas/{file}."""

from pathlib import Path

import orjson
import pytest

from tests.service.conftest import Desk, OpenDesk, problem

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.iterdir()))
async def test_each_schema_of_the_documentation_is_served(desk: Desk, file: str) -> None:
    response = await desk.client.get(f"/schemas/{file}")
    assert (response.status, response.content_type) == (200, "application/schema+json")
    assert orjson.loads(await response.read()) == orjson.loads((FOLDER / file).read_bytes())
    again = await desk.client.get(f"/schemas/{file}", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


async def test_schemas_need_no_key(open_desk: OpenDesk) -> None:
    desk = await open_desk(keys=("desk:secret-of-the-desk-0123456789",))
    assert (await desk.client.get("/schemas/submission.json")).status == 200


async def test_another_name_is_not_found(desk: Desk) -> None:
    response = await desk.client.get("/schemas/job.v1")
    assert response.status == 404
    assert (await problem(response))["type"] == "/problems/not-found"
