"""Cancelled requests and batches: runs that no request needs end, and others continue."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.batches import service as batches
from api.dagster.dagster_client import DagsterFailed
from api.runtime.wakeups import WakeupBus
from api.scrape import repository, service
from api.scrape.reconciler import reconcile
from api.scrape.states import ScrapeState
from standin.site_facts import make_idno
from tests.api.api_harness import CLIENT, ApiHarness

pytestmark = pytest.mark.anyio

IDNO = make_idno(5000)
IDNOS = [make_idno(5100 + number) for number in range(6)]


def stores(stage: ApiHarness) -> tuple[AsyncEngine, WakeupBus]:
    return stage.services.users, stage.services.wakeups


async def test_cancelling_the_only_request_terminates_its_run(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    await service.cancel(*stores(stage), caller, run_id)
    await service.cancel(*stores(stage), caller, run_id)
    assert await stage.state(caller, run_id) == "cancelled"
    await stage.turn()
    assert stage.dagster.terminated == [run_id]
    await stage.turn()
    async with stage.services.users.connect() as connection:
        assert await repository.list_open(connection) == []
    assert len(stage.dagster.runs) == 1


async def test_run_continues_while_another_user_needs_it(stage: ApiHarness) -> None:
    one, other = await stage.caller(), await stage.caller()
    run_id = await stage.ask(one, IDNO)
    assert await stage.ask(other, IDNO) == run_id
    await service.cancel(*stores(stage), one, run_id)
    await stage.turn()
    assert stage.dagster.terminated == []
    stage.finish_company(run_id, IDNO)
    await stage.turn()
    assert await stage.state(one, run_id) == "cancelled"
    assert await stage.state(other, run_id) == "succeeded"


async def test_request_during_a_termination_gets_a_new_run_afterwards(
    stage: ApiHarness,
) -> None:
    one, other = await stage.caller(), await stage.caller()
    run_id = await stage.ask(one, IDNO)
    await service.cancel(*stores(stage), one, run_id)
    await reconcile(stage.services)
    assert await stage.ask(other, IDNO) == run_id
    await stage.turn()
    [_, second] = stage.dagster.runs
    stage.finish_company(second.run_id, IDNO)
    await stage.turn()
    assert await stage.state(other, run_id) == "succeeded"


async def test_cancelled_batch_keeps_results_and_requests_of_others(stage: ApiHarness) -> None:
    owner, other = await stage.caller(), await stage.caller()
    answer = await stage.ask_for_batch(owner, IDNOS)
    [bulk] = stage.dagster.runs
    others = await stage.ask_for_batch(other, [IDNOS[1]])
    assert others.items[0].verdict == "joined"
    stage.finish_company(bulk.run_id, IDNOS[0])
    await stage.turn()

    await batches.cancel(*stores(stage), CLIENT, owner, answer.batch_id)
    await batches.cancel(*stores(stage), CLIENT, owner, answer.batch_id)
    await stage.turn()
    assert stage.dagster.terminated == [bulk.run_id]
    await stage.turn()
    [_, again] = stage.dagster.runs
    assert (again.idnos, again.requested_by) == ((IDNOS[1],), other.username)
    stage.finish_company(again.run_id, IDNOS[1])
    await stage.turn()

    status = await batches.read_status(stage.services, owner, answer.batch_id)
    assert status.state == "cancelled"
    assert status.counts == {ScrapeState.SUCCEEDED: 1, ScrapeState.CANCELLED: 5}
    status = await batches.read_status(stage.services, other, others.batch_id)
    assert (status.state, status.counts) == ("finished", {ScrapeState.SUCCEEDED: 1})


async def test_batch_cancelled_before_its_launch_launches_no_run(
    stage: ApiHarness,
) -> None:
    owner = await stage.caller()
    stage.dagster.refusal = DagsterFailed("not now")
    answer = await stage.ask_for_batch(owner, IDNOS)
    await batches.cancel(*stores(stage), CLIENT, owner, answer.batch_id)
    stage.dagster.refusal = None
    await stage.pass_time(timedelta(minutes=2))
    await stage.turn()
    assert stage.dagster.runs == []
    async with stage.services.users.connect() as connection:
        assert await repository.list_open(connection) == []


async def test_cancelled_deferred_scrape_is_not_launched_again(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.defers(run_id, IDNO, datetime.now(UTC) + timedelta(hours=1))
    await stage.turn()
    await service.cancel(*stores(stage), caller, run_id)
    await stage.turn()
    await stage.pass_time(timedelta(hours=2))
    await stage.turn()
    assert len(stage.dagster.runs) == 1
