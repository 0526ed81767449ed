"""Every scrape reaches the right final state, whatever its runs do and however many reconcilers there are."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.batches import service as batches
from api.dagster.dagster_client import RunStatus
from api.scrape.reconciler import reconcile
from api.scrape.states import ScrapeState
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness
from warehouse.contract import Outcome, RunKind

pytestmark = pytest.mark.anyio

IDNO = make_idno(5000)
IDNOS = [make_idno(5100 + number) for number in range(6)]


async def test_scrape_succeeds_with_its_result_before_the_run_ends(
    harness: ApiHarness,
) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    await harness.run_reconciler()
    assert await harness.state(caller, run_id) == "running"

    harness.finish_company(run_id, IDNO)
    await harness.run_reconciler()

    status = await harness.status(caller, run_id)
    assert status.state == "succeeded"
    assert status.data is not None
    [company] = status.companies
    assert (company.outcome, company.attempts, company.error) == (Outcome.OK, 1, None)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.NOT_FOUND, "not_found"),
        (Outcome.BLOCKED, "blocked"),
        (Outcome.TIMEOUT, "failed"),
        (Outcome.WRONG_PAGE, "failed"),
    ],
)
async def test_outcome_without_record_ends_the_scrape_with_its_reason(
    harness: ApiHarness, outcome: Outcome, state: str
) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    harness.finish_company(run_id, IDNO, outcome)
    await harness.run_reconciler()

    status = await harness.status(caller, run_id)
    assert status.state == state
    assert status.error == f"it was {outcome}"
    assert status.data is None


async def test_scrape_fails_if_the_capture_is_not_transformed(harness: ApiHarness) -> None:
    caller, idno = await harness.caller(), make_idno(5001)
    run_id = await harness.request_company(caller, idno)
    harness.finish_company(run_id, idno, transforms=False)
    await harness.run_reconciler()
    status = await harness.status(caller, run_id)
    assert status.state == "failed"
    assert "was captured, but not transformed" in str(status.error)


async def test_scrape_of_a_failed_run_is_launched_again(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    harness.dagster.run(run_id).status = RunStatus.FAILURE
    await harness.run_reconciler()

    [first, second] = harness.dagster.runs
    assert second.idnos == (IDNO,)
    assert second.since == first.since
    assert second.launch_id != first.launch_id
    assert await harness.state(caller, run_id) == "queued"
    harness.finish_company(second.run_id, IDNO)
    await harness.run_reconciler()
    assert await harness.state(caller, run_id) == await harness.state(caller, second.run_id) == "succeeded"


async def test_scrape_fails_after_three_lost_runs_with_the_last_status(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    for _ in range(3):
        harness.dagster.runs[-1].status = RunStatus.FAILURE
        await harness.run_reconciler()
    await harness.run_reconciler()

    assert len(harness.dagster.runs) == 3
    status = await harness.status(caller, run_id)
    assert status.state == "failed"
    assert "ended with FAILURE, the company was not captured" in str(status.error)


async def test_scrape_of_a_run_unknown_to_dagster_is_launched_again(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    harness.dagster.runs.clear()
    await harness.run_reconciler()
    assert [run.idnos for run in harness.dagster.runs] == [(IDNO,)]
    assert await harness.state(caller, run_id) == "queued"


async def test_scrape_succeeds_if_the_failed_run_stored_a_record(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    harness.finish_company(run_id, IDNO, reports=False)
    harness.dagster.run(run_id).status = RunStatus.FAILURE
    await harness.run_reconciler()
    assert await harness.state(caller, run_id) == "succeeded"
    assert len(harness.dagster.runs) == 1


async def test_run_cancelled_in_dagster_cancels_its_scrape(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    harness.dagster.run(run_id).status = RunStatus.CANCELED
    await harness.run_reconciler()
    status = await harness.status(caller, run_id)
    assert (status.state, status.error) == ("cancelled", "the run was cancelled")
    assert len(harness.dagster.runs) == 1


async def test_results_end_scrapes_while_dagster_is_down(
    harness: ApiHarness,
) -> None:
    caller = await harness.caller()
    first, second = (
        await harness.request_company(caller, IDNOS[0]),
        await harness.request_company(caller, IDNOS[1]),
    )
    harness.dagster.is_down = True
    harness.finish_company(first, IDNOS[0])
    await reconcile(harness.services)
    assert await harness.state(caller, first) == "succeeded"
    assert await harness.state(caller, second) == "queued"


async def test_deferred_scrapes_are_launched_together_when_due(
    harness: ApiHarness,
) -> None:
    callers = [await harness.caller() for _ in range(3)]
    runs = [await harness.request_company(caller, idno) for caller, idno in zip(callers, IDNOS, strict=False)]
    until = datetime.now(UTC) + timedelta(hours=1)
    for run_id, idno in zip(runs, IDNOS, strict=False):
        harness.defer_company(run_id, idno, until)
        harness.dagster.run(run_id).status = RunStatus.SUCCESS
    await harness.run_reconciler()
    await harness.run_reconciler()
    status = await harness.status(callers[0], runs[0])
    assert (status.state, status.deferred_until) == ("deferred", until)
    assert status.error == "the site is paused"
    assert len(harness.dagster.runs) == 3

    await harness.pass_time(timedelta(hours=2))
    await harness.run_reconciler()
    [*_, run] = harness.dagster.runs
    assert len(harness.dagster.runs) == 4
    assert (set(run.idnos), run.kind) == (set(IDNOS[:3]), RunKind.PERSON)
    assert run.requested_by == ", ".join(sorted(caller.username for caller in callers))
    for idno in IDNOS[:3]:
        harness.finish_company(run.run_id, idno)
    await harness.run_reconciler()
    assert {await harness.state(caller, run_id) for caller, run_id in zip(callers, runs, strict=True)} == {
        "succeeded"
    }


async def test_deferrals_do_not_count_as_lost_runs(harness: ApiHarness) -> None:
    caller = await harness.caller()
    run_id = await harness.request_company(caller, IDNO)
    for _ in range(5):
        run = harness.dagster.runs[-1]
        harness.defer_company(run.run_id, IDNO, datetime.now(UTC))
        run.status = RunStatus.SUCCESS
        await harness.run_reconciler()
        await harness.run_reconciler()
    assert len(harness.dagster.runs) == 6
    assert await harness.state(caller, run_id) == "queued"


async def test_concurrent_reconcilers_launch_each_company_once(harness: ApiHarness) -> None:
    owner = await harness.caller()
    idnos = [make_idno(6000 + number) for number in range(600)]
    answer = await harness.request_batch(owner, idnos)
    assert sorted(len(run.idnos) for run in harness.dagster.runs) == [100, 250, 250]
    for _ in range(2):
        for run in harness.dagster.runs:
            run.status = RunStatus.FAILURE
        await asyncio.gather(*(harness.run_reconciler() for _ in range(8)))
    await asyncio.gather(*(harness.run_reconciler() for _ in range(8)))

    assert len(harness.dagster.runs) == 9
    for part in (harness.dagster.runs[:3], harness.dagster.runs[3:6], harness.dagster.runs[6:]):
        assert sorted(idno for run in part for idno in run.idnos) == sorted(idnos)
    for run in harness.dagster.runs[6:]:
        for idno in run.idnos[:2]:
            harness.finish_company(run.run_id, idno)
    await asyncio.gather(*(harness.run_reconciler() for _ in range(8)))
    status = await batches.read_status(
        harness.services.users, harness.services.wakeups, owner, answer.batch_id
    )
    assert status.counts[ScrapeState.SUCCEEDED] == 6
