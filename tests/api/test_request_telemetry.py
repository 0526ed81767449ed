"""Tests of request ids, metrics and health checks."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.health.parts import PARTS, check_parts
from api.main import create_app
from api.services import open_services
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness

pytestmark = pytest.mark.anyio

IDNO = make_idno(8840)


@asynccontextmanager
async def client_of(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client without credentials."""
    app = create_app(harness.services.settings)
    app.state.services = harness.services
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        yield http


async def samples(http: httpx.AsyncClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return all metric samples by name and labels."""
    answer = await http.get("/metrics")
    assert answer.status_code == httpx.codes.OK
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def counted(http: httpx.AsyncClient, name: str, **labels: str) -> float:
    """Return the value of one sample; 0 if there is none."""
    return (await samples(http)).get((name, frozenset(labels.items())), 0.0)


async def test_client_request_id_is_returned_and_passed_to_the_run(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        answer = await http.post("/scrape/", json={"idno": IDNO}, headers={"X-Request-ID": "order-7"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (httpx.codes.ACCEPTED, "order-7")
    assert [run.request_id for run in harness.dagster.runs] == ["order-7"]


async def test_replacement_of_a_lost_run_keeps_the_request_id(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        await http.post("/scrape/", json={"idno": IDNO}, headers={"X-Request-ID": "order-8"})
    [run] = harness.dagster.runs
    harness.dagster.runs.remove(run)  # Dagster has lost the run
    await harness.run_reconciler()
    assert [each.request_id for each in harness.dagster.runs] == ["order-8"]


async def test_runs_of_a_batch_have_the_batch_id_as_request_id(harness: ApiHarness) -> None:
    batch = await harness.request_batch(await harness.caller(), [IDNO])
    assert [run.request_id for run in harness.dagster.runs] == [str(batch.batch_id)]


async def test_errors_contain_the_request_id(harness: ApiHarness) -> None:
    async with client_of(harness) as http:
        refused = await http.get("/auth/me/", headers={"X-Request-ID": "mine"})
        made = await http.get("/nowhere", headers={"X-Request-ID": "not one\x7f"})
    assert refused.json()["request_id"] == refused.headers["X-Request-ID"] == "mine"
    assert made.json()["request_id"] == made.headers["X-Request-ID"] != "not one\x7f"


async def test_internal_error_contains_the_request_id_once(
    harness: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("api.health.endpoints.read_pauses", fail)
    async with client_of(harness) as http:
        before = await counted(
            http, "registru_http_requests_total", route="/health", method="GET", status="500"
        )
        answer = await http.get("/health/", headers={"X-Request-ID": "mine"})
        after = await counted(
            http, "registru_http_requests_total", route="/health", method="GET", status="500"
        )
    assert answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert answer.headers.get_list("X-Request-ID") == ["mine"]
    assert answer.json()["request_id"] == "mine"
    assert after == before + 1


async def test_requests_are_counted_by_route_template(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        about = {"route": "/companies/{idno}", "method": "GET", "status": "404"}
        before = await counted(http, "registru_http_requests_total", **about)
        for number in range(8841, 8844):
            await http.get(f"/companies/{make_idno(number)}/")
        assert await counted(http, "registru_http_requests_total", **about) == before + 3


async def test_values_from_clients_do_not_become_metric_labels(harness: ApiHarness) -> None:
    made_up = uuid4().hex
    async with client_of(harness) as http:
        await http.get(f"/{made_up}", params={"x": made_up}, headers={"X-Request-ID": made_up})
        await http.request(made_up[:12].upper(), "/health/")
        answer = await http.get("/metrics")
    assert made_up not in answer.text
    assert made_up[:12].upper() not in answer.text
    assert 'route="unmatched"' in answer.text
    assert 'method="other"' in answer.text


async def test_failed_sign_ins_and_rate_limit_refusals_are_counted(harness: ApiHarness) -> None:
    wrong = {"username": "nobody-here", "password": "wrong"}
    async with client_of(harness) as http:
        failed = await counted(http, "registru_security_events_total", event="sign_in_failed")
        refused = await counted(http, "registru_limits_refused_total", limit="wrong passwords")
        statuses = [(await http.post("/auth/login/", json=wrong)).status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        assert await counted(http, "registru_security_events_total", event="sign_in_failed") == failed + 5
        assert await counted(http, "registru_limits_refused_total", limit="wrong passwords") == refused + 2


async def test_answers_to_company_requests_are_counted_by_kind(harness: ApiHarness) -> None:
    async with harness.signed_in() as http, harness.signed_in() as other:
        name = "registru_scrape_answers_total"
        before = {
            how: await counted(http, name, answer=how) for how in ("launched", "joined", "stored", "cached")
        }
        run_id = (await http.post("/scrape/", json={"idno": IDNO})).json()["run_id"]
        await other.post("/scrape/", json={"idno": IDNO})
        harness.finish_company(run_id, IDNO)
        await harness.run_reconciler()
        for _ in range(2):
            await http.post("/scrape/", json={"idno": IDNO})
        assert {how: await counted(http, name, answer=how) - count for how, count in before.items()} == {
            "launched": 1,
            "joined": 1,
            "stored": 1,
            "cached": 1,
        }


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
async def test_request_through_a_proxy_gets_no_metrics(harness: ApiHarness, header: str) -> None:
    async with client_of(harness) as http:
        assert (await http.get("/metrics")).is_success
        assert (await http.get("/metrics", headers={header: "1.2.3.4"})).status_code == httpx.codes.NOT_FOUND


@contextmanager
def hanging() -> Iterator[int]:
    """Yield a port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


async def test_hanging_part_is_reported_in_time_and_blocks_no_request(harness: ApiHarness) -> None:
    assert await check_parts(harness.services) == dict.fromkeys(PARTS, "ok")
    with hanging() as port:
        settings = harness.services.settings.model_copy(
            update={
                "users_url": f"postgresql+psycopg2://api:x@127.0.0.1:{port}/users",
                "redis_cache_url": f"redis://127.0.0.1:{port}/1",
                "dagster_url": f"http://127.0.0.1:{port}",
            }
        )
        async with open_services(settings) as services, asyncio.timeout(120):
            hurt = replace(harness, services=services)
            async with client_of(hurt) as http:
                assert (await http.get("/health/live")).json() == {"status": "ok"}
                ready = await http.get("/health/ready")
                shown = await samples(http)
    assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ready.json()["status"] == "not ready"
    late = "does not answer within 3 s"
    expected = dict.fromkeys(PARTS, late) | {"warehouse": "ok", "redis_state": "ok"}
    assert ready.json()["parts"] == expected
    up = {
        dict(labels)["part"]: value for (name, labels), value in shown.items() if name == "registru_part_up"
    }
    assert {part for part, value in up.items() if value} == {"warehouse", "redis_state"}
    assert any(
        name == "registru_companies_due" for name, _ in shown
    )  # metrics of parts that answer are present


async def test_unavailable_part_is_reported(harness: ApiHarness) -> None:
    harness.dagster.is_down = True
    async with client_of(harness) as http:
        answer = await http.get("/health/ready")
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    parts = answer.json()["parts"]
    assert parts["dagster"] == "Dagster does not answer"
    assert {name for name, state in parts.items() if state == "ok"} == {
        "users",
        "warehouse",
        "redis_state",
        "redis_cache",
    }
