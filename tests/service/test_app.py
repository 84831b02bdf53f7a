import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from service import problems
from tests.service.conftest import RunningApi, problem

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(["url", "text", "html", "metadata", "labels", "options", "lane", "title", "authors", ""])


async def test_index_names_the_routes(api: RunningApi) -> None:
    body = await (await api.client.get("/")).json()
    assert body["name"] == "copydesk"
    assert "POST /v1/documents" in body["routes"]


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/problems/nothing", 404, "not-found"),
        ("PUT", "/v1/documents", 405, "method-not-allowed"),
        ("POST", "/v1/events", 405, "method-not-allowed"),
        ("HEAD", "/v1/events", 405, "method-not-allowed"),
        ("PROPFIND", "/", 405, "method-not-allowed"),
    ],
)
async def test_errors_of_the_framework_are_problems(
    api: RunningApi, method: str, path: str, status: int, slug: str
) -> None:
    response = await api.client.request(method, path)
    assert response.status == status
    assert response.content_type == problems.MEDIA_TYPE
    if method != "HEAD":
        assert (await problem(response))["type"] == f"/problems/{slug}"
    if status == 405:
        assert response.headers["Allow"]
    assert api.sample("copydesk_refused_total", reason=slug.replace("-", "_")) == 1


async def test_unknown_methods_share_a_metric_label(api: RunningApi) -> None:
    await api.client.request("PROPFIND", "/nothing")
    assert api.sample("copydesk_request_seconds_count", method="other", route="unmatched", status="404") == 1


async def test_defect_is_500_without_internals_and_logged(api: RunningApi) -> None:
    api.broker.refusal = RuntimeError("internals")
    with capture_logs() as logs:
        response = await api.post('{"text": "a"}')
    assert (await problem(response))["type"] == "/problems/internal-error"
    assert "internals" not in await response.text()
    assert [(entry["event"], entry["log_level"], entry["error"]) for entry in logs] == [
        ("request_failed", "error", "RuntimeError")
    ]


async def test_client_that_leaves_mid_body_is_no_defect(api: RunningApi) -> None:
    _, writer = await asyncio.open_connection(api.client.host, api.client.port)
    writer.write(
        b"POST /v1/documents HTTP/1.1\r\nHost: [::1]\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nhalf"
    )
    with capture_logs() as logs:
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await api.client.server.close()  # returns when the handler has ended
    assert [entry["event"] for entry in logs] == ["client_gone"]


@pytest.mark.parametrize("kind", problems.ALL, ids=lambda kind: kind.slug)
async def test_every_problem_type_is_explained_where_it_points(api: RunningApi, kind: problems.ProblemType) -> None:
    response = await api.client.get(f"/problems/{kind.slug}")
    assert response.status == 200
    assert kind.meaning in await response.text()


def test_slugs_are_distinct() -> None:
    assert len({kind.slug for kind in problems.ALL}) == len(problems.ALL)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON_VALUES | st.dictionaries(FIELDS, JSON_VALUES, max_size=5))
async def test_no_json_makes_a_500(api: RunningApi, body: object) -> None:
    response = await api.post(json.dumps(body))
    assert response.status in {202, 400, 422}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200),
    content_type=st.sampled_from(["application/json", "text/plain", "text/html; charset=gbk"]),
)
async def test_no_bytes_make_a_500(api: RunningApi, body: bytes, content_type: str) -> None:
    response = await api.post(body, content_type)
    assert response.status in {202, 400, 415, 422}
    if response.status != 202:
        errors = (await response.json(content_type=None))["errors"]
        assert errors
        assert all(error["field"] and error["rule"] and error["message"] for error in errors)
