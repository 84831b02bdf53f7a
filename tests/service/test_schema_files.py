"""GET /schemas/{file}."""

from pathlib import Path

import orjson
import pytest

from tests.service.conftest import RunningApi, StartApi, problem

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.iterdir()))
async def test_each_schema_of_the_documentation_is_served(api: RunningApi, file: str) -> None:
    response = await api.client.get(f"/schemas/{file}")
    assert (response.status, response.content_type) == (200, "application/schema+json")
    assert orjson.loads(await response.read()) == orjson.loads((FOLDER / file).read_bytes())
    again = await api.client.get(f"/schemas/{file}", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


async def test_schemas_need_no_key(start_api: StartApi) -> None:
    api = await start_api(keys=("api:secret-of-the-api-0123456789",))
    assert (await api.client.get("/schemas/submission.json")).status == 200


async def test_another_name_is_not_found(api: RunningApi) -> None:
    response = await api.client.get("/schemas/job.v1")
    assert response.status == 404
    assert (await problem(response))["type"] == "/problems/not-found"
