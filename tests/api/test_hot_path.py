"""Tests of cached answers: their cost, their content, and who may get them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from api.auth.cache import invalidate, session_key
from api.auth.roles import Role
from api.problems import TooManyRequests
from api.runtime.redis_gate import Limit, RedisGate
from api.services import open_services
from api.settings import parse_limits
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness
from tests.made_up_record import made_up_record
from warehouse.records.models import CompanyRecord
from warehouse.records.record_cache import company_key, pack

pytestmark = pytest.mark.anyio

IDNO = make_idno(8810)


async def cache(harness: ApiHarness, *, age: timedelta = timedelta(0)) -> CompanyRecord:
    """Store a record whose capture has this age in the cache."""
    record = made_up_record(IDNO, datetime.now(UTC) - age)
    await harness.services.cache.set(company_key(IDNO), pack(record))
    return record


def with_settings(harness: ApiHarness, **settings: Any) -> ApiHarness:
    """Return the same harness with other settings."""
    changed = harness.services.settings.model_copy(update=settings)
    return replace(harness, services=replace(harness.services, settings=changed))


async def commands_during(observer: Redis, send: Callable[[], Awaitable[httpx.Response]]) -> list[str]:
    """Return the commands that Valkey receives during a request, without those of its own scripts."""
    commands = []
    async with observer.monitor() as monitor:
        answer = await send()
        assert (answer.status_code, answer.json()["cached"]) == (httpx.codes.OK, True)
        async with observer.client() as other:
            await other.echo("done")
        async for each in monitor.listen():
            name = each["command"].split()[0]
            if name == "ECHO":
                break
            if each["client_type"] != "lua":
                commands.append(name)
    return [name for name in commands if name not in ("HELLO", "CLIENT", "SELECT", "AUTH")]


async def test_cache_hit_costs_one_redis_round_trip_and_no_sql(harness: ApiHarness, observer: Redis) -> None:
    await cache(harness)
    async with harness.signed_in() as http:
        await http.post("/scrape/", json={"idno": IDNO})  # stores copies of session and account
        await http.post("/scrape/", json={"idno": IDNO})
        with harness.counted_statements() as statements:
            commands = await commands_during(observer, lambda: http.post("/scrape/", json={"idno": IDNO}))

    assert commands == ["EVALSHA"]
    assert statements == []


async def test_api_key_costs_one_more_redis_round_trip(harness: ApiHarness, observer: Redis) -> None:
    await cache(harness)
    async with harness.signed_in() as http:
        made = (await http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"]})).json()
        del http.headers["Authorization"]
        http.headers["X-API-Key"] = made["key"]
        await http.post("/scrape/", json={"idno": IDNO})
        with harness.counted_statements() as statements:
            commands = await commands_during(observer, lambda: http.post("/scrape/", json={"idno": IDNO}))

    assert commands == ["EVALSHA", "EVALSHA"]
    assert statements == []


async def test_cached_answer_equals_the_answer_from_the_warehouse(harness: ApiHarness) -> None:
    harness.finish_company(str(uuid4()), IDNO)
    async with harness.signed_in() as http:
        read = await http.post("/scrape/", json={"idno": IDNO})
        assert await harness.services.cache.exists(company_key(IDNO))
        with harness.counted_statements() as statements:
            cached = await http.post("/scrape/", json={"idno": f" {IDNO} "})

    assert statements == []
    assert cached.content == read.content
    assert cached.headers["Content-Type"] == read.headers["Content-Type"] == "application/json"
    assert CompanyRecord.model_validate(cached.json()["data"]).idno == IDNO


@pytest.mark.parametrize("held", [b'{"idno": "1"}', b"registru/2 9999999999\n{}", b"\xba\xfe"])
async def test_unrecognized_cache_entry_is_ignored(harness: ApiHarness, held: bytes) -> None:
    harness.finish_company(str(uuid4()), IDNO)
    await harness.services.cache.set(company_key(IDNO), held)
    async with harness.signed_in() as http:
        answer = await http.post("/scrape/", json={"idno": IDNO})
    assert answer.json()["data"]["name"] == "Made up"


async def test_cached_record_that_is_no_longer_fresh_is_fetched_again(harness: ApiHarness) -> None:
    await cache(harness, age=timedelta(hours=23))
    async with harness.signed_in() as http:
        assert (await http.post("/scrape/", json={"idno": IDNO})).status_code == httpx.codes.OK
    # The pipeline and the API may differ on what is fresh: the capture's age counts.
    async with with_settings(harness, fresh_hours=22.0).signed_in() as http:
        assert (await http.post("/scrape/", json={"idno": IDNO})).status_code == httpx.codes.ACCEPTED


async def test_ended_session_gets_no_cached_record(harness: ApiHarness) -> None:
    await cache(harness)
    async with harness.signed_in() as http:
        assert (await http.post("/scrape/", json={"idno": IDNO})).is_success
        await http.post("/auth/logout/")
        for _ in range(2):  # the first request reads PostgreSQL, the second the copy
            answer = await http.post("/scrape/", json={"idno": IDNO})
            assert answer.status_code == httpx.codes.UNAUTHORIZED
            assert "Fabrica" not in answer.text


async def test_caller_without_the_scope_gets_no_cached_record(harness: ApiHarness) -> None:
    await cache(harness)
    async with harness.signed_in(Role.READONLY) as http:
        answer = await http.post("/scrape/", json={"idno": IDNO})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "Fabrica" not in answer.text


async def test_request_with_an_invalid_idno_is_counted_and_refused(harness: ApiHarness) -> None:
    async with harness.signed_in() as http:
        left = []
        for body in ({"idno": "123"}, {"idno": 5}, ["x"], {"idno": IDNO[:-1] + "x"}):
            answer = await http.post("/scrape/", json=body)
            assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
            left.append(int(answer.headers["RateLimit-Remaining"]))
        answer = await http.post("/scrape/", content=b"{", headers={"Content-Type": "text/plain"})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert left == list(range(left[0], left[0] - 4, -1))


async def test_caller_over_the_rate_limit_gets_no_cached_record(harness: ApiHarness) -> None:
    await cache(harness)
    for limit in ("limit_caller", "limit_address"):
        await harness.services.state.flushdb()
        async with with_settings(harness, **{limit: "100/minute;3/hour"}).signed_in() as http:
            answers = [await http.post("/scrape/", json={"idno": IDNO}) for _ in range(4)]
        statuses = [answer.status_code for answer in answers]
        expected = 3 if limit == "limit_caller" else 1  # registration and sign-in were two requests
        assert statuses == [200] * expected + [429] * (4 - expected)
        assert "Fabrica" not in answers[-1].text
        assert answers[0].headers["RateLimit-Policy"] in ("100;w=60", "3000;w=60")
        assert answers[-1].headers["RateLimit-Policy"] == "3;w=3600"


async def test_token_of_an_ended_session_does_not_use_up_the_users_limit(harness: ApiHarness) -> None:
    async with with_settings(harness, limit_caller="3/hour").signed_in() as http:
        me = (await http.get("/auth/me/")).json()
        sessions = (await http.get("/auth/sessions/")).json()
        await http.post("/auth/logout/")  # the third and last request that the limit allows
        for _ in range(3):
            assert (await http.get("/auth/me/")).status_code == httpx.codes.UNAUTHORIZED
        await invalidate(harness.services.state, session_key(sessions[0]["id"]))
        assert (await http.get("/auth/me/")).status_code == httpx.codes.UNAUTHORIZED
    [key] = [each async for each in harness.services.state.scan_iter(f"count:user {me['id']}:*")]
    assert str(await harness.services.state.get(key)).endswith(" 3")


async def test_previous_window_counts_in_proportion_to_its_overlap(harness: ApiHarness) -> None:
    limit = Limit(parse_limits("10/hour"), "somebody", "tries")
    began = int(datetime.now(UTC).timestamp() - 1.5 * 3600) * 1000
    await harness.services.state.set("count:somebody:10/3600", f"{began} 0 10")

    admit = harness.services.redis_gate.admit
    remaining = [(await admit(limit)).limit.remaining for _ in range(6)]
    assert remaining == [5, 4, 3, 2, 1, 0]
    with pytest.raises(TooManyRequests) as refused:
        await admit(limit)
    # A tenth of an hour later the previous window counts one less.
    assert 1 <= int((refused.value.headers or {})["Retry-After"]) <= 360


async def test_cache_on_a_separate_server_is_read_concurrently(harness: ApiHarness, redis_url: str) -> None:
    await cache(harness)
    elsewhere = f"{redis_url.replace('127.0.0.1', 'localhost')}/1"
    settings = harness.services.settings.model_copy(
        update={"redis_cache_url": elsewhere, "limit_caller": "3/minute"}
    )
    async with open_services(settings) as services:
        apart = replace(harness, services=replace(services, dagster=harness.dagster))
        async with apart.signed_in() as http:
            answers = [await http.post("/scrape/", json={"idno": IDNO}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[1].json()["cached"] is True
    assert "Fabrica" not in answers[3].text


async def test_reading_a_record_keeps_the_connection_on_its_database(harness: ApiHarness) -> None:
    await cache(harness)
    services = harness.services
    limit = Limit(parse_limits("10/hour"), "somebody", "tries")
    for _ in range(2):
        asked = await services.redis_gate.admit(limit, copies=[company_key(IDNO)], record=company_key(IDNO))
        assert asked.record is not None
        assert asked.copies == [None]  # this key exists in the other database only
    assert (await services.state.client_info())["db"] == 0
    assert await services.state.exists("count:somebody:10/3600")


async def test_all_requests_are_refused_quickly_while_redis_hangs(
    harness: ApiHarness, observer: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with harness.signed_in() as http:
        await observer.client_pause(60_000, all=False)
        try:
            with monkeypatch.context() as patches:
                patches.setattr("api.runtime.redis_batching.LONGEST_SECONDS", 0.2)
                answers = await asyncio.gather(*(http.get("/auth/verify") for _ in range(50)))
        finally:
            await observer.client_unpause()
        assert {answer.status_code for answer in answers} == {httpx.codes.SERVICE_UNAVAILABLE}
        assert all("Retry-After" in answer.headers for answer in answers)
        assert (await http.get("/auth/verify")).status_code == httpx.codes.OK


@pytest.mark.parametrize(("error", "tries"), [(RedisConnectionError, 4), (RedisTimeoutError, 1)])
async def test_failed_redis_connection_is_retried_and_a_timeout_is_not(
    harness: ApiHarness, error: type[Exception], tries: int
) -> None:
    tried = 0

    async def fail() -> None:
        nonlocal tried
        tried += 1
        raise error

    async def clean_up(_: Exception) -> None:
        pass

    pool = harness.services.state.connection_pool
    connection = pool.make_connection()  # type: ignore[no-untyped-call]
    with pytest.raises(error):
        await connection.retry.call_with_retry(fail, clean_up)
    assert tried == tries


async def test_script_is_sent_again_after_valkey_lost_it(harness: ApiHarness) -> None:
    limit = Limit(parse_limits("10/hour"), "somebody", "tries")
    await harness.services.redis_gate.admit(limit)
    await harness.services.state.script_flush()
    assert (await harness.services.redis_gate.admit(limit)).limit.remaining == 8


def test_cache_with_other_credentials_counts_as_another_server() -> None:
    def same(state_url: str, cache_url: str) -> bool:
        gate = RedisGate({}, state_url=state_url, cache_url=cache_url)
        return gate._cache_database is not None

    assert same("redis://:a@h:1/0", "redis://:a@h:1/1")
    assert not same("redis://:a@h:1/0", "redis://:b@h:1/1")
    assert not same("redis://:a@h:1/0", "redis://:a@h:2/0")
