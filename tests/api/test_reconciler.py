"""Every request ends right, whatever its runs do, whoever dies, however many reconcilers there are."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from api.batches import service as batches
from api.dagster.dagster_client import DagsterFailed, RunStatus
from api.problems import Unavailable
from api.scrape import repository, service
from api.scrape.reconciler import reconcile
from api.scrape.states import ScrapeState
from api.users_tables import scrapes
from standin.site_facts import make_idno
from tests.api.api_harness import CLIENT, ApiHarness
from warehouse.contract import Outcome, RunKind, RunResult

pytestmark = pytest.mark.anyio

IDNO = make_idno(5000)
MANY = [make_idno(5100 + number) for number in range(6)]


async def test_a_company_ends_as_soon_as_its_run_is_done_with_it_long_before_the_run_ends(
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
async def test_an_outcome_that_is_no_record_ends_it_with_the_reason(
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


async def test_what_is_captured_but_not_transformed_is_no_success(stage: ApiHarness) -> None:
    caller, idno = await stage.caller(), make_idno(5001)
    run_id = await stage.ask(caller, idno)
    stage.finish_company(run_id, idno, transforms=False)
    await stage.turn()
    status = await stage.status(caller, run_id)
    assert status.state == "failed"
    assert "was captured, but not transformed" in str(status.error)


async def test_a_lost_run_is_launched_again_and_the_request_ends_right(stage: ApiHarness) -> None:
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


async def test_after_three_lost_runs_it_fails_with_what_became_of_the_last(stage: ApiHarness) -> None:
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


async def test_a_run_that_dagster_does_not_know_is_lost(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.dagster.runs.clear()
    await stage.turn()
    assert [run.idnos for run in stage.dagster.runs] == [(IDNO,)]
    assert await stage.state(caller, run_id) == "queued"


async def test_a_lost_run_that_had_stored_a_record_is_a_success(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.finish_company(run_id, IDNO, tells=False)
    stage.dagster.run(run_id).status = RunStatus.FAILURE
    await stage.turn()
    assert await stage.state(caller, run_id) == "succeeded"
    assert len(stage.dagster.runs) == 1


async def test_a_run_that_somebody_cancelled_in_dagster_ends_its_requests(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.dagster.run(run_id).status = RunStatus.CANCELED
    await stage.turn()
    status = await stage.status(caller, run_id)
    assert (status.state, status.error) == ("cancelled", "the run was cancelled")
    assert len(stage.dagster.runs) == 1


async def test_while_dagster_is_down_results_still_end_requests_and_nothing_is_lost(
    stage: ApiHarness,
) -> None:
    caller = await stage.caller()
    first, second = await stage.ask(caller, MANY[0]), await stage.ask(caller, MANY[1])
    stage.dagster.is_down = True
    stage.finish_company(first, MANY[0])
    await reconcile(stage.services)
    assert await stage.state(caller, first) == "succeeded"
    assert await stage.state(caller, second) == "queued"


async def test_without_dagster_a_request_is_refused_and_nothing_stays_behind(stage: ApiHarness) -> None:
    caller = await stage.caller()
    stage.dagster.is_down = True
    with pytest.raises(Unavailable):
        await stage.ask(caller, IDNO)
    stage.dagster.is_down = False
    await stage.turn()
    assert stage.dagster.runs == []


async def test_askers_who_join_while_dagster_goes_down_are_all_refused_and_nothing_stays_behind(
    stage: ApiHarness,
) -> None:
    callers = [await stage.caller() for _ in range(5)]
    stage.dagster.is_down = True
    answers = await asyncio.gather(*(stage.ask(each, IDNO) for each in callers), return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers), answers
    async with stage.services.users.connect() as connection:
        assert await repository.list_open(connection) == []


async def test_of_two_askers_who_go_at_once_the_last_takes_the_scrape_along(stage: ApiHarness) -> None:
    callers = [await stage.caller() for _ in range(2)]
    users = stage.services.users
    async with users.begin() as connection:
        found, _ = await repository.open_or_join(connection, [IDNO])
        requests = [
            await repository.add_request(
                connection, scrape_id=found[IDNO], user_id=each.user_id, force_refresh=False
            )
            for each in callers
        ]

    async def go(request_id: int) -> None:
        async with users.begin() as connection:
            await repository.drop_request(connection, request_id, found[IDNO])

    async with users.begin() as connection:
        await repository.drop_request(connection, requests[0], found[IDNO])
        other = asyncio.create_task(go(requests[1]))
        await asyncio.wait([other], timeout=0.5)  # it waits, or has done its part by now
    await other
    async with users.connect() as connection:
        assert not (await connection.execute(select(scrapes.c.id).where(scrapes.c.idno == IDNO))).all()


async def test_a_launch_whose_answer_got_lost_is_found_by_its_tag_and_not_launched_twice(
    stage: ApiHarness,
) -> None:
    caller = await stage.caller()
    stage.dagster.answers_get_lost = True
    with pytest.raises(Unavailable):
        await stage.ask(caller, IDNO)
    stage.dagster.answers_get_lost = False
    await stage.turn()
    [run] = stage.dagster.runs  # the claim stands

    await stage.pass_time(timedelta(minutes=2))
    await stage.turn()
    assert stage.dagster.runs == [run]
    stage.finish_company(run.run_id, IDNO)
    await stage.turn()
    assert await stage.state(caller, run.run_id) == "succeeded"


async def test_a_process_that_died_before_it_launched_leaves_a_launch_that_another_takes(
    stage: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await stage.caller()

    async def die(*_: object) -> str:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("api.scrape.launching.send", die)
        with pytest.raises(asyncio.CancelledError):
            await stage.ask(caller, IDNO)
    await stage.turn()
    assert stage.dagster.runs == []
    await stage.pass_time(timedelta(minutes=2))
    await stage.turn()
    [run] = stage.dagster.runs
    assert run.idnos == (IDNO,)


async def test_a_run_that_dagster_refuses_again_and_again_ends_the_request(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.dagster.run(run_id).status = RunStatus.FAILURE
    stage.dagster.refusal = DagsterFailed("Dagster refused the run")
    for _ in range(4):
        await stage.turn()
        await stage.pass_time(timedelta(minutes=2))
    await stage.turn()
    status = await stage.status(caller, run_id)
    assert status.state == "failed"
    assert "no run could be launched for it: Dagster refused the run" in str(status.error)


async def test_a_deferred_company_is_launched_again_when_its_time_has_come_many_in_one_run(
    stage: ApiHarness,
) -> None:
    callers = [await stage.caller() for _ in range(3)]
    runs = [await stage.ask(each, idno) for each, idno in zip(callers, MANY, strict=False)]
    until = datetime.now(UTC) + timedelta(hours=1)
    for run_id, idno in zip(runs, MANY, strict=False):
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
    assert (set(run.idnos), run.kind) == (set(MANY[:3]), RunKind.PERSON)
    assert run.requested_by == ", ".join(sorted(each.username for each in callers))
    for idno in MANY[:3]:
        stage.finish_company(run.run_id, idno)
    await stage.turn()
    assert {await stage.state(each, run_id) for each, run_id in zip(callers, runs, strict=True)} == {
        "succeeded"
    }


async def test_deferrals_are_no_lost_runs(stage: ApiHarness) -> None:
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


async def test_a_person_does_not_wait_behind_a_batch(stage: ApiHarness) -> None:
    owner, person = await stage.caller(), await stage.caller()
    answer = await stage.ask_for_batch(owner, MANY)
    [bulk] = stage.dagster.runs
    assert bulk.kind is RunKind.BULK

    run_id = await stage.ask(person, MANY[5])
    own = stage.dagster.run(run_id)
    assert (own.kind, own.idnos) == (RunKind.PERSON, (MANY[5],))
    assert own.since == bulk.since
    joined = await stage.ask(await stage.caller(), MANY[5])
    assert joined == run_id

    stage.finish_company(run_id, MANY[5])
    stage.finish_company(bulk.run_id, MANY[5], result=RunResult.SKIPPED)
    await stage.turn()
    assert await stage.state(person, run_id) == "succeeded"
    status = await batches.read_status(stage.services, owner, answer.batch_id)
    assert status.counts == {ScrapeState.SUCCEEDED: 1, ScrapeState.RUNNING: 5}


async def test_a_person_whose_own_run_cannot_be_launched_leaves_the_batch_as_it_was(
    stage: ApiHarness,
) -> None:
    owner, person = await stage.caller(), await stage.caller()
    answer = await stage.ask_for_batch(owner, MANY)
    stage.dagster.is_down = True
    with pytest.raises(Unavailable):
        await stage.ask(person, MANY[0])
    stage.dagster.is_down = False
    await stage.turn()
    [bulk] = stage.dagster.runs
    for idno in MANY:
        stage.finish_company(bulk.run_id, idno)
    await stage.turn()
    status = await batches.read_status(stage.services, owner, answer.batch_id)
    assert status.counts == {ScrapeState.SUCCEEDED: len(MANY)}


async def test_a_withdrawn_request_ends_its_run_if_nobody_else_wants_it(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    await service.withdraw(stage.services, caller, run_id)
    await service.withdraw(stage.services, caller, run_id)
    assert await stage.state(caller, run_id) == "cancelled"
    await stage.turn()
    assert stage.dagster.terminated == [run_id]
    await stage.turn()
    async with stage.services.users.connect() as connection:
        assert await repository.list_open(connection) == []
    assert len(stage.dagster.runs) == 1


async def test_a_run_that_somebody_else_wants_goes_on(stage: ApiHarness) -> None:
    one, other = await stage.caller(), await stage.caller()
    run_id = await stage.ask(one, IDNO)
    assert await stage.ask(other, IDNO) == run_id
    await service.withdraw(stage.services, one, run_id)
    await stage.turn()
    assert stage.dagster.terminated == []
    stage.finish_company(run_id, IDNO)
    await stage.turn()
    assert await stage.state(one, run_id) == "cancelled"
    assert await stage.state(other, run_id) == "succeeded"


async def test_who_asks_while_the_run_is_being_ended_gets_a_run_of_their_own_after_it(
    stage: ApiHarness,
) -> None:
    one, other = await stage.caller(), await stage.caller()
    run_id = await stage.ask(one, IDNO)
    await service.withdraw(stage.services, one, run_id)
    await reconcile(stage.services)
    assert await stage.ask(other, IDNO) == run_id
    await stage.turn()
    [_, second] = stage.dagster.runs
    stage.finish_company(second.run_id, IDNO)
    await stage.turn()
    assert await stage.state(other, run_id) == "succeeded"


async def test_a_cancelled_batch_keeps_what_was_done_and_what_others_want(stage: ApiHarness) -> None:
    owner, other = await stage.caller(), await stage.caller()
    answer = await stage.ask_for_batch(owner, MANY)
    [bulk] = stage.dagster.runs
    others = await stage.ask_for_batch(other, [MANY[1]])
    assert others.items[0].verdict == "joined"
    stage.finish_company(bulk.run_id, MANY[0])
    await stage.turn()

    await batches.cancel(stage.services, CLIENT, owner, answer.batch_id)
    await batches.cancel(stage.services, CLIENT, owner, answer.batch_id)
    await stage.turn()
    assert stage.dagster.terminated == [bulk.run_id]
    await stage.turn()
    [_, again] = stage.dagster.runs
    assert (again.idnos, again.requested_by) == ((MANY[1],), other.username)
    stage.finish_company(again.run_id, MANY[1])
    await stage.turn()

    status = await batches.read_status(stage.services, owner, answer.batch_id)
    assert status.state == "cancelled"
    assert status.counts == {ScrapeState.SUCCEEDED: 1, ScrapeState.CANCELLED: 5}
    status = await batches.read_status(stage.services, other, others.batch_id)
    assert (status.state, status.counts) == ("finished", {ScrapeState.SUCCEEDED: 1})


async def test_a_batch_that_is_cancelled_before_its_runs_are_launched_launches_none(
    stage: ApiHarness,
) -> None:
    owner = await stage.caller()
    stage.dagster.refusal = DagsterFailed("not now")
    answer = await stage.ask_for_batch(owner, MANY)
    await batches.cancel(stage.services, CLIENT, owner, answer.batch_id)
    stage.dagster.refusal = None
    await stage.pass_time(timedelta(minutes=2))
    await stage.turn()
    assert stage.dagster.runs == []
    async with stage.services.users.connect() as connection:
        assert await repository.list_open(connection) == []


async def test_a_deferred_company_that_nobody_wants_any_more_is_not_launched_again(stage: ApiHarness) -> None:
    caller = await stage.caller()
    run_id = await stage.ask(caller, IDNO)
    stage.defers(run_id, IDNO, datetime.now(UTC) + timedelta(hours=1))
    await stage.turn()
    await service.withdraw(stage.services, caller, run_id)
    await stage.turn()
    await stage.pass_time(timedelta(hours=2))
    await stage.turn()
    assert len(stage.dagster.runs) == 1


async def test_many_reconcilers_at_once_launch_each_thing_once(stage: ApiHarness) -> None:
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
