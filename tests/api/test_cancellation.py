"""Cancelled requests and batches: runs that no request needs end, and others continue."""

from datetime import UTC, datetime, timedelta

import pytest

from api.batches import service as batches
from api.dagster.dagster_client import DagsterFailed
from api.scrape import repository, service
from api.scrape.reconciler import reconcile
from api.scrape.states import ScrapeState
from standin.site_facts import make_idno
from tests.api.api_harness import CLIENT, ApiHarness

pytestmark = pytest.mark.anyio

IDNO = make_idno(5000)
IDNOS = [make_idno(5100 + number) for number in range(6)]


async def test_cancelling_the_only_request_terminates_its_run(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    await service.cancel(harness.services.users, harness.services.wakeups, caller, run_id)
    await service.cancel(harness.services.users, harness.services.wakeups, caller, run_id)
    assert await harness.state(caller, run_id) == "cancelled"
    await harness.run_reconciler()
    assert harness.dagster.terminated == [run_id]
    await harness.run_reconciler()
    async with harness.services.users.connect() as connection:
        assert await repository.list_open(connection) == []
    assert len(harness.dagster.runs) == 1


async def test_run_continues_while_another_user_needs_it(harness: ApiHarness) -> None:
    one, other = await harness.caller(), await harness.caller()
    run_id = await harness.request_company(one, IDNO)
    assert await harness.request_company(other, IDNO) == run_id
    await service.cancel(harness.services.users, harness.services.wakeups, one, run_id)
    await harness.run_reconciler()
    assert harness.dagster.terminated == []
    harness.finish_company(run_id, IDNO)
    await harness.run_reconciler()
    assert await harness.state(one, run_id) == "cancelled"
    assert await harness.state(other, run_id) == "succeeded"


async def test_request_during_a_termination_gets_a_new_run_afterwards(
    harness: ApiHarness,
) -> None:
    one, other = await harness.caller(), await harness.caller()
    run_id = await harness.request_company(one, IDNO)
    await service.cancel(harness.services.users, harness.services.wakeups, one, run_id)
    await reconcile(harness.services)
    assert await harness.request_company(other, IDNO) == run_id
    await harness.run_reconciler()
    [_, second] = harness.dagster.runs
    harness.finish_company(second.run_id, IDNO)
    await harness.run_reconciler()
    assert await harness.state(other, run_id) == "succeeded"


async def test_cancelled_batch_keeps_results_and_requests_of_others(harness: ApiHarness) -> None:
    owner, other = await harness.caller(), await harness.caller()
    answer = await harness.request_batch(owner, IDNOS)
    [bulk] = harness.dagster.runs
    others = await harness.request_batch(other, [IDNOS[1]])
    assert others.items[0].verdict == "joined"
    harness.finish_company(bulk.run_id, IDNOS[0])
    await harness.run_reconciler()

    await batches.cancel(harness.services.users, harness.services.wakeups, CLIENT, owner, answer.batch_id)
    await batches.cancel(harness.services.users, harness.services.wakeups, CLIENT, owner, answer.batch_id)
    await harness.run_reconciler()
    assert harness.dagster.terminated == [bulk.run_id]
    await harness.run_reconciler()
    [_, again] = harness.dagster.runs
    assert (again.idnos, again.requested_by) == ((IDNOS[1],), other.username)
    harness.finish_company(again.run_id, IDNOS[1])
    await harness.run_reconciler()

    status = await batches.read_status(
        harness.services.users, harness.services.wakeups, owner, answer.batch_id
    )
    assert status.state == "cancelled"
    assert status.counts == {ScrapeState.SUCCEEDED: 1, ScrapeState.CANCELLED: 5}
    status = await batches.read_status(
        harness.services.users, harness.services.wakeups, other, others.batch_id
    )
    assert (status.state, status.counts) == ("finished", {ScrapeState.SUCCEEDED: 1})


async def test_cancelling_a_single_request_keeps_the_batch_of_the_same_user(harness: ApiHarness) -> None:
    caller = await harness.caller()
    answer = await harness.request_batch(caller, [IDNO])
    run_id = await harness.request_company(caller, IDNO)
    await service.cancel(harness.services.users, harness.services.wakeups, caller, run_id)
    await harness.run_reconciler()
    harness.finish_company(harness.dagster.runs[-1].run_id, IDNO)
    await harness.run_reconciler()
    status = await batches.read_status(
        harness.services.users, harness.services.wakeups, caller, answer.batch_id
    )
    assert (status.state, status.counts) == ("finished", {ScrapeState.SUCCEEDED: 1})


async def test_batch_cancelled_before_its_launch_launches_no_run(
    harness: ApiHarness,
) -> None:
    owner = await harness.caller()
    harness.dagster.refusal = DagsterFailed("not now")
    answer = await harness.request_batch(owner, IDNOS)
    await batches.cancel(harness.services.users, harness.services.wakeups, CLIENT, owner, answer.batch_id)
    harness.dagster.refusal = None
    await harness.pass_time(timedelta(minutes=2))
    await harness.run_reconciler()
    assert harness.dagster.runs == []
    async with harness.services.users.connect() as connection:
        assert await repository.list_open(connection) == []


async def test_cancelled_deferred_scrape_is_not_launched_again(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    harness.defer_company(run_id, IDNO, datetime.now(UTC) + timedelta(hours=1))
    await harness.run_reconciler()
    await service.cancel(harness.services.users, harness.services.wakeups, caller, run_id)
    await harness.run_reconciler()
    await harness.pass_time(timedelta(hours=2))
    await harness.run_reconciler()
    assert len(harness.dagster.runs) == 1
