"""Launching: one run per launch, and a refused request is not kept."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.batches import service as batches
from api.dagster.dagster_client import DagsterFailed, RunStatus
from api.problems import Unavailable
from api.scrape import repository
from api.scrape.states import ScrapeState
from api.users_tables import scrapes
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness
from warehouse.contract import RunKind, RunResult

pytestmark = pytest.mark.anyio

IDNO = make_idno(5000)
IDNOS = [make_idno(5100 + number) for number in range(6)]


async def test_request_without_dagster_is_refused_and_not_kept(harness: ApiHarness) -> None:
    caller = await harness.caller()
    harness.dagster.is_down = True
    with pytest.raises(Unavailable):
        await harness.request_company(caller, IDNO)
    harness.dagster.is_down = False
    await harness.run_reconciler()
    assert harness.dagster.runs == []


async def test_joined_requests_without_dagster_are_all_refused_and_not_kept(
    harness: ApiHarness,
) -> None:
    callers = [await harness.caller() for _ in range(5)]
    harness.dagster.is_down = True
    answers = await asyncio.gather(
        *(harness.request_company(caller, IDNO) for caller in callers), return_exceptions=True
    )
    assert all(isinstance(answer, Unavailable) for answer in answers), answers
    async with harness.services.users.connect() as connection:
        assert await repository.list_open(connection) == []


async def test_concurrent_deletion_of_the_last_requests_deletes_the_scrape(harness: ApiHarness) -> None:
    callers = [await harness.caller() for _ in range(2)]
    users = harness.services.users
    async with users.begin() as connection:
        scrape_ids, _ = await repository.open_or_join(connection, [IDNO])
        requests = [
            await repository.add_request(
                connection, scrape_id=scrape_ids[IDNO], user_id=caller.user_id, force_refresh=False
            )
            for caller in callers
        ]

    async def delete(request_id: int) -> None:
        async with users.begin() as connection:
            await repository.delete_request(connection, request_id, scrape_ids[IDNO])

    async with users.begin() as connection:
        await repository.delete_request(connection, requests[0], scrape_ids[IDNO])
        other = asyncio.create_task(delete(requests[1]))
        await asyncio.wait([other], timeout=0.5)  # it waits for the lock, or is done by now
    await other
    async with users.connect() as connection:
        assert not (await connection.execute(select(scrapes.c.id).where(scrapes.c.idno == IDNO))).all()


async def test_launch_with_a_lost_answer_is_found_by_its_tag_not_repeated(
    harness: ApiHarness,
) -> None:
    caller = await harness.caller()
    harness.dagster.loses_answers = True
    with pytest.raises(Unavailable):
        await harness.request_company(caller, IDNO)
    harness.dagster.loses_answers = False
    await harness.run_reconciler()
    [run] = harness.dagster.runs  # the claim has not expired

    await harness.pass_time(timedelta(minutes=2))
    await harness.run_reconciler()
    assert harness.dagster.runs == [run]
    harness.finish_company(run.run_id, IDNO)
    await harness.run_reconciler()
    assert await harness.state(caller, run.run_id) == "succeeded"


async def test_launch_of_a_dead_process_is_taken_over_by_another(
    harness: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await harness.caller()

    async def die(*_: object) -> str:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("api.scrape.launching.launch_claimed", die)
        with pytest.raises(asyncio.CancelledError):
            await harness.request_company(caller, IDNO)
    await harness.run_reconciler()
    assert harness.dagster.runs == []
    await harness.pass_time(timedelta(minutes=2))
    await harness.run_reconciler()
    [run] = harness.dagster.runs
    assert run.idnos == (IDNO,)


async def test_scrape_fails_if_dagster_keeps_refusing_the_run(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    harness.dagster.run(run_id).status = RunStatus.FAILURE
    harness.dagster.refusal = DagsterFailed("Dagster refused the run")
    for _ in range(4):
        await harness.run_reconciler()
        await harness.pass_time(timedelta(minutes=2))
    await harness.run_reconciler()
    status = await harness.status(caller, run_id)
    assert status.state == "failed"
    assert "no run could be launched: Dagster refused the run" in str(status.error)


async def test_single_request_takes_its_scrape_out_of_a_bulk_launch(harness: ApiHarness) -> None:
    owner, person = await harness.caller(), await harness.caller()
    answer = await harness.request_batch(owner, IDNOS)
    [bulk] = harness.dagster.runs
    assert bulk.kind is RunKind.BULK

    run_id = await harness.request_company(person, IDNOS[5])
    own = harness.dagster.run(run_id)
    assert (own.kind, own.idnos) == (RunKind.PERSON, (IDNOS[5],))
    assert own.since == bulk.since
    joined = await harness.request_company(await harness.caller(), IDNOS[5])
    assert joined == run_id

    harness.finish_company(run_id, IDNOS[5])
    harness.finish_company(bulk.run_id, IDNOS[5], result=RunResult.SKIPPED)
    await harness.run_reconciler()
    assert await harness.state(person, run_id) == "succeeded"
    status = await batches.read_status(
        harness.services.users, harness.services.wakeups, owner, answer.batch_id
    )
    assert status.counts == {ScrapeState.SUCCEEDED: 1, ScrapeState.RUNNING: 5}


async def test_refused_single_request_leaves_the_batch_unchanged(
    harness: ApiHarness,
) -> None:
    owner, person = await harness.caller(), await harness.caller()
    answer = await harness.request_batch(owner, IDNOS)
    harness.dagster.is_down = True
    with pytest.raises(Unavailable):
        await harness.request_company(person, IDNOS[0])
    harness.dagster.is_down = False
    await harness.run_reconciler()
    [bulk] = harness.dagster.runs
    for idno in IDNOS:
        harness.finish_company(bulk.run_id, idno)
    await harness.run_reconciler()
    status = await batches.read_status(
        harness.services.users, harness.services.wakeups, owner, answer.batch_id
    )
    assert status.counts == {ScrapeState.SUCCEEDED: len(IDNOS)}
