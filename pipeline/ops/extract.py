"""The ops of `source_data`: plan, capture (Selenium), load, report."""

from collections.abc import Iterator
from pathlib import Path

from dagster import (
    DynamicOut,
    DynamicOutput,
    Nothing,
    OpExecutionContext,
    Out,
    op,
)

from pipeline.extract import spool
from pipeline.load import store_capture
from pipeline.ops.metadata import Visited, describe_visits
from pipeline.ops.outage import retried_on_outage
from pipeline.resources import Browser, RedisStores, Warehouse
from pipeline.selection import CompanySelection
from warehouse.contract import REQUESTED_BY_TAG


@op(out=DynamicOut(str), description="Checks the selection; each company goes its way alone.")
def plan_captures(config: CompanySelection) -> Iterator[DynamicOutput[str]]:
    """Yield the IDNOs; the selection has been checked when it was read."""
    for idno in config.idnos:
        yield DynamicOutput(idno, mapping_key=idno)


@op(
    out=Out(str),
    description="Visits a company's page with headless Chrome and keeps what was seen, as a file.",
)
def capture_company(context: OpExecutionContext, idno: str, browser: Browser, redis: RedisStores) -> str:
    """Capture a company; return the file."""
    with retried_on_outage(context):
        capture = browser.capture(idno, redis.state)
    context.log.info(
        f"{idno}: {capture.outcome} in {capture.duration_ms} ms, status {capture.status_code}"
        + (f" ({capture.error})" if capture.error else "")
    )
    return str(spool.put(browser.settings.work_dir / "spool" / context.run_id, capture))


@op(
    out=Out(Visited),
    # Before the next company is captured: what was seen is on record at once, whatever ends the run.
    tags={"dagster/priority": "1"},
    description="Stores a capture in the audit trail, untouched.",
)
def load_capture(context: OpExecutionContext, path: str, warehouse: Warehouse) -> Visited:
    """Store a capture with its bodies; return what became of the visit."""
    capture = spool.get(Path(path))
    requested_by = context.run.tags.get(REQUESTED_BY_TAG)
    with retried_on_outage(context), warehouse.transaction() as connection:
        source_data_id = store_capture(connection, capture, run_id=context.run_id, requested_by=requested_by)
    spool.remove(Path(path))
    return Visited.of(capture, source_data_id)


@op(out=Out(Nothing), description="Reports what became of each company.")
def report_captures(context: OpExecutionContext, visits: list[Visited]) -> None:
    """Put counts by outcome, a table and the failures beside the materialization."""
    context.add_output_metadata(describe_visits(visits))
