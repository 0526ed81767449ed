"""The ops of `source_data`: plan, capture (Selenium) and load, report."""

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
from pipeline.runs.company_runner import CompanyRunner, RunContext, Stores, store_leftovers
from pipeline.runs.run_metrics import note_settings
from pipeline.runs.run_results import results_of, visits_of
from telemetry.tallies import Tallies
from warehouse.contract import KIND_TAG, REQUESTED_BY_TAG, RunKind


@dataclass(frozen=True)
class VisitPlan:
    """The companies of a run; who has been captured well `since` then is left out when its turn comes."""

    idnos: list[str]
    since: datetime


@op(out=Out(VisitPlan), description="Checks the selection and says which companies it comes to.")
def plan_captures(context: OpExecutionContext, config: CompanySelection, warehouse: Warehouse) -> VisitPlan:
    """Return the plan; what was typed has been checked when it was read."""
    with retried_on_outage(context), warehouse.transaction() as connection:
        idnos = select_companies(connection, config)
    context.log.info(f"companies to visit: {len(idnos)}")
    return VisitPlan(idnos, config.since_time or run_context.created_at(context))


@op(
    out=Out(Nothing),
    description="Visits the companies' pages with headless Chrome, several tabs side by side, and stores each capture"
    " in the audit trail, untouched, as soon as it is made. Failures that may pass are tried again.",
)
def capture_companies(
    context: OpExecutionContext,
    plan: VisitPlan,
    browser: Browser,
    redis: RedisStores,
    warehouse: Warehouse,
    telemetry: Telemetry,
) -> None:
    """Bring each company to a capture that counts and, where the run makes records too, to its record."""
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
        transforms=run_context.transforms_too(context.run),
    )
    kind = RunKind.BULK if len(plan.idnos) > 1 else RunKind.PERSON
    is_over = partial(run_context.is_over, context.instance)
    note_settings(stores.tallies, browser.settings)
    with retried_on_outage(context), telemetry.step("run"):
        store_leftovers(warehouse.transaction, spools, is_over=is_over)
        scrape = CompanyRunner(
            run,
            stores,
            lambda find_new_capture: browser.crawl(
                redis.state,
                stores.tallies,
                run_id=context.run_id,
                is_over=is_over,
                kind=RunKind(context.run.tags.get(KIND_TAG, kind)),
                find_new_capture=find_new_capture,
                check_run_active=run_context.asks_whether_to_go_on(context),
            ),
        )
        for event in scrape.scrape_all(plan.idnos):
            context.log.info(_told(event))


def _told(event: Event) -> str:
    if isinstance(event, Attempt):
        capture = event.capture
        told = (
            f"{capture.idno}: attempt {capture.attempt}: {capture.outcome} in {capture.duration_ms} ms,"
            f" status {capture.status_code}" + (f" ({capture.error})" if capture.error else "")
        )
        if event.retry_in is None:
            return told
        return f"{told}; tried again in {event.retry_in.total_seconds():.1f} s"
    if isinstance(event, Deferral):
        return f"{event.idno}: deferred until {event.until.isoformat(timespec='seconds')}: {event.reason}"
    return f"{event.idno}: not visited, another run captured it meanwhile ({event.source_data_id})"


@op(ins={"captured": In(Nothing)}, out=Out(Nothing), description="Reports what became of each company.")
def report_captures(context: OpExecutionContext, warehouse: Warehouse) -> None:
    """Put counts by outcome, tables and the failures beside the materialization."""
    with retried_on_outage(context), warehouse.transaction() as connection:
        run_ids = run_context.run_group(context)
        visits, results = visits_of(connection, run_ids), results_of(connection, run_ids)
    context.add_output_metadata(describe_visits(visits, results))
