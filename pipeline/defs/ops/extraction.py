"""The ops of `source_data`: plan the visits, visit the companies and store the captures, report the outcomes."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dagster import In, Nothing, OpExecutionContext, Out, op

from pipeline.defs.ops import run_context
from pipeline.defs.ops.outage_retry import retried_on_outage
from pipeline.defs.ops.visit_summary import describe_visits
from pipeline.defs.resources import Browser, RedisStores, Telemetry, Warehouse
from pipeline.defs.selection import CompanySelection
from pipeline.extract.crawl import Attempt, Deferral, Event
from pipeline.register.tracking import select_companies
from pipeline.runs.company_runner import CompanyRunner, RunContext, Stores, store_spools_of_dead_runs
from pipeline.runs.run_metrics import report_settings
from pipeline.runs.run_results import load_results, load_visits
from telemetry.tallies import Tallies
from warehouse.contract import KIND_TAG, REQUESTED_BY_TAG, RunKind


@dataclass(frozen=True)
class VisitPlan:
    """The companies that a run is to visit.

    When a visit is about to begin, the run skips it if the company already has a conclusive capture newer than `since`.
    """

    idnos: list[str]
    since: datetime


@op(
    out=Out(VisitPlan),
    description="Determines the companies to visit: those that the config names, or those that it selects.",
)
def plan_captures(context: OpExecutionContext, config: CompanySelection, warehouse: Warehouse) -> VisitPlan:
    """Return the companies that the config selects. Dagster has validated the config before the step starts."""
    with retried_on_outage(context), warehouse.transaction() as connection:
        idnos = select_companies(connection, config)
    context.log.info(f"companies to visit: {len(idnos)}")
    return VisitPlan(idnos, config.since_time or run_context.created_at(context))


@op(
    out=Out(Nothing),
    description="Visits the companies' pages with headless Chrome in several tabs and stores each capture, unchanged,"
    " in the audit trail as soon as the visit ends. Retries visits that failed for a temporary reason.",
)
def capture_companies(
    context: OpExecutionContext,
    plan: VisitPlan,
    browser: Browser,
    redis: RedisStores,
    warehouse: Warehouse,
    telemetry: Telemetry,
) -> None:
    """Visit each company, with retries, and store the captures. If the run also transforms, update the records."""
    spools = browser.settings.work_dir / "spool"
    stores = Stores(
        transaction=warehouse.transaction,
        state=redis.state,
        cache=redis.cache,
        fresh_seconds=redis.fresh_seconds,
        spool=spools / context.run_id,
        tallies=Tallies(redis.state),
    )
    run = RunContext(
        run_id=context.run_id,
        run_ids=run_context.run_group(context),
        requested_by=context.run.tags.get(REQUESTED_BY_TAG),
        since=plan.since,
        transforms=run_context.transforms(context.run),
    )
    kind = RunKind.BULK if len(plan.idnos) > 1 else RunKind.PERSON
    has_ended = partial(run_context.has_ended, context.instance)
    report_settings(stores.tallies, browser.settings)
    with retried_on_outage(context), telemetry.step("run"):
        store_spools_of_dead_runs(warehouse.transaction, spools, has_ended=has_ended)
        runner = CompanyRunner(
            run,
            stores,
            lambda find_new_capture: browser.crawl(
                redis.state,
                stores.tallies,
                run_id=context.run_id,
                has_ended=has_ended,
                kind=RunKind(context.run.tags.get(KIND_TAG, kind)),
                find_new_capture=find_new_capture,
                check_run_active=run_context.active_run_check(context),
            ),
        )
        for event in runner.scrape_all(plan.idnos):
            context.log.info(_line(event))


def _line(event: Event) -> str:
    """Return the log line for an event."""
    if isinstance(event, Attempt):
        capture = event.capture
        line = (
            f"{capture.idno}: attempt {capture.attempt}: {capture.outcome} in {capture.duration_ms} ms,"
            f" status {capture.status_code}" + (f" ({capture.error})" if capture.error else "")
        )
        if event.retry_in is None:
            return line
        return f"{line}; retried in {event.retry_in.total_seconds():.1f} s"
    if isinstance(event, Deferral):
        return f"{event.idno}: deferred until {event.until.isoformat(timespec='seconds')}: {event.reason}"
    return f"{event.idno}: skipped, another run has captured it ({event.source_data_id})"


@op(
    ins={"captured": In(Nothing)},
    out=Out(Nothing),
    description="Reports the outcome of each company's visits.",
)
def report_captures(context: OpExecutionContext, warehouse: Warehouse) -> None:
    """Add counts by outcome and tables of visits and failures to the materialization."""
    with retried_on_outage(context), warehouse.transaction() as connection:
        run_ids = run_context.run_group(context)
        visits, results = load_visits(connection, run_ids), load_results(connection, run_ids)
    context.add_output_metadata(describe_visits(visits, results))
