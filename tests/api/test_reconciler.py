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
    stage: ApiHarness,
) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    await stage.turn()
    assert await stage.state(caller, run_id) == "running"

    stage.finish_company(run_id, IDNO)
    await stage.turn()

    status = await stage.status(caller, run_id)
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
    stage: ApiHarness, outcome: Outcome, state: str
) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.finish_company(run_id, IDNO, outcome)
    await stage.turn()

    status = await stage.status(caller, run_id)
    assert status.state == state
    assert status.error == f"it was {outcome}"
    assert status.data is None


async def test_scrape_fails_if_the_capture_is_not_transformed(stage: ApiHarness) -> None:
    caller, idno = await stage.caller(), make_idno(5001)
    run_id = await stage.ask(caller, idno)
    stage.finish_company(run_id, idno, transforms=False)
    await stage.turn()
    status = await stage.status(caller, run_id)
    assert status.state == "failed"
    assert "was captured, but not transformed" in str(status.error)


async def test_scrape_of_a_failed_run_is_launched_again(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.dagster.run(run_id).status = RunStatus.FAILURE
    await stage.turn()

    [first, second] = stage.dagster.runs
    assert second.idnos == (IDNO,)
    assert second.since == first.since
    assert second.launch_id != first.launch_id
    assert await stage.state(caller, run_id) == "queued"
    stage.finish_company(second.run_id, IDNO)
    await stage.turn()
    assert await stage.state(caller, run_id) == await stage.state(caller, second.run_id) == "succeeded"


async def test_scrape_fails_after_three_lost_runs_with_the_last_status(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    for _ in range(3):
        stage.dagster.runs[-1].status = RunStatus.FAILURE
        await stage.turn()
    await stage.turn()

    assert len(stage.dagster.runs) == 3
    status = await stage.status(caller, run_id)
    assert status.state == "failed"
    assert "ended with FAILURE, the company was not captured" in str(status.error)


async def test_scrape_of_a_run_unknown_to_dagster_is_launched_again(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.dagster.runs.clear()
    await stage.turn()
    assert [run.idnos for run in stage.dagster.runs] == [(IDNO,)]
    assert await stage.state(caller, run_id) == "queued"


async def test_scrape_succeeds_if_the_failed_run_stored_a_record(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.finish_company(run_id, IDNO, tells=False)
    stage.dagster.run(run_id).status = RunStatus.FAILURE
    await stage.turn()
    assert await stage.state(caller, run_id) == "succeeded"
    assert len(stage.dagster.runs) == 1


async def test_run_cancelled_in_dagster_cancels_its_scrape(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.dagster.run(run_id).status = RunStatus.CANCELED
    await stage.turn()
    status = await stage.status(caller, run_id)
    assert (status.state, status.error) == ("cancelled", "the run was cancelled")
    assert len(stage.dagster.runs) == 1


async def test_results_end_scrapes_while_dagster_is_down(
    stage: ApiHarness,
) -> None:
    caller = await stage.caller()
    first, second = await stage.ask(caller, IDNOS[0]), await stage.ask(caller, IDNOS[1])
    stage.dagster.is_down = True
    stage.finish_company(first, IDNOS[0])
    await reconcile(stage.services)
    assert await stage.state(caller, first) == "succeeded"
    assert await stage.state(caller, second) == "queued"


async def test_deferred_scrapes_are_launched_together_when_due(
    stage: ApiHarness,
) -> None:
    callers = [await stage.caller() for _ in range(3)]
    runs = [await stage.ask(caller, idno) for caller, idno in zip(callers, IDNOS, strict=False)]
    until = datetime.now(UTC) + timedelta(hours=1)
    for run_id, idno in zip(runs, IDNOS, strict=False):
        stage.defers(run_id, idno, until)
        stage.dagster.run(run_id).status = RunStatus.SUCCESS
    await stage.turn()
    await stage.turn()
    status = await stage.status(callers[0], runs[0])
    assert (status.state, status.deferred_until) == ("deferred", until)
    assert status.error == "the site is left alone"
    assert len(stage.dagster.runs) == 3

    await stage.pass_time(timedelta(hours=2))
    await stage.turn()
    [*_, run] = stage.dagster.runs
    assert len(stage.dagster.runs) == 4
    assert (set(run.idnos), run.kind) == (set(IDNOS[:3]), RunKind.PERSON)
    assert run.requested_by == ", ".join(sorted(caller.username for caller in callers))
    for idno in IDNOS[:3]:
        stage.finish_company(run.run_id, idno)
    await stage.turn()
    assert {await stage.state(caller, run_id) for caller, run_id in zip(callers, runs, strict=True)} == {
        "succeeded"
    }


async def test_deferrals_do_not_count_as_lost_runs(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    for _ in range(5):
        run = stage.dagster.runs[-1]
        stage.defers(run.run_id, IDNO, datetime.now(UTC))
        run.status = RunStatus.SUCCESS
        await stage.turn()
        await stage.turn()
    assert len(stage.dagster.runs) == 6
    assert await stage.state(caller, run_id) == "queued"


async def test_concurrent_reconcilers_launch_each_company_once(stage: ApiHarness) -> None:
    owner = await stage.caller()
    idnos = [make_idno(6000 + number) for number in range(600)]
    answer = await stage.ask_for_batch(owner, idnos)
    assert sorted(len(run.idnos) for run in stage.dagster.runs) == [100, 250, 250]
    for _ in range(2):
        for run in stage.dagster.runs:
            run.status = RunStatus.FAILURE
        await asyncio.gather(*(stage.turn() for _ in range(8)))
    await asyncio.gather(*(stage.turn() for _ in range(8)))

    assert len(stage.dagster.runs) == 9
    for part in (stage.dagster.runs[:3], stage.dagster.runs[3:6], stage.dagster.runs[6:]):
        assert sorted(idno for run in part for idno in run.idnos) == sorted(idnos)
    for run in stage.dagster.runs[6:]:
        for idno in run.idnos[:2]:
            stage.finish_company(run.run_id, idno)
    await asyncio.gather(*(stage.turn() for _ in range(8)))
    status = await batches.read_status(stage.services, owner, answer.batch_id)
    assert status.counts[ScrapeState.SUCCEEDED] == 6
