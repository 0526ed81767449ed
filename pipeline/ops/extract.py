"""The ops of `source_data`: plan, capture (Selenium), load, report."""

from collections.abc import Iterator
from itertools import islice
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

_CHUNK = 10
"""Companies a step captures before they are loaded: what is not loaded yet is seen by nobody."""


@op(out=DynamicOut(list[str]), description="Checks the selection and cuts it into chunks.")
def plan_captures(config: CompanySelection) -> Iterator[DynamicOutput[list[str]]]:
    """Yield the IDNOs in chunks; the selection has been checked when it was read."""
    idnos = iter(config.idnos)
    position = 0
    while chunk := list(islice(idnos, _CHUNK)):
        yield DynamicOutput(chunk, mapping_key=f"chunk_{position}")
        position += 1


@op(
    out=Out(list[str]),
    description="Visits companies' pages with headless Chrome and keeps what was seen, as files.",
)
def capture_companies(
    context: OpExecutionContext, idnos: list[str], browser: Browser, redis: RedisStores
) -> list[str]:
    """Capture each company once, also when the op is tried again; return the files, in order."""
    folder = browser.settings.work_dir / "spool" / context.run_id
    done = {spool.get(path).idno: path for path in sorted(folder.glob("*.json"))}
    with retried_on_outage(context):
        for idno in idnos:
            if idno in done:
                continue
            capture = browser.capture(idno, redis.state)
            context.log.info(
                f"{idno}: {capture.outcome} in {capture.duration_ms} ms, status {capture.status_code}"
                + (f" ({capture.error})" if capture.error else "")
            )
            done[idno] = spool.put(folder, capture)
    return [str(done[idno]) for idno in idnos]


@op(
    out=Out(list[Visited]),
    # Before the next chunk is captured, so that what was seen is on record soon.
    tags={"dagster/priority": "1"},
    description="Stores captures in the audit trail, untouched.",
)
def load_captures(context: OpExecutionContext, captures: list[str], warehouse: Warehouse) -> list[Visited]:
    """Store captures with their bodies; return what became of each visit."""
    requested_by = context.run.tags.get(REQUESTED_BY_TAG)
    paths = [Path(path) for path in captures]
    with retried_on_outage(context), warehouse.transaction() as connection:
        visited = [
            Visited.of(
                capture,
                store_capture(connection, capture, run_id=context.run_id, requested_by=requested_by),
            )
            for capture in map(spool.get, paths)
        ]
    for path in paths:
        spool.remove(path)
    return visited


@op(out=Out(Nothing), description="Reports what became of each company.")
def report_captures(context: OpExecutionContext, visits: list[list[Visited]]) -> None:
    """Put counts by outcome, a table and the failures beside the materialization."""
    flat = [visit for chunk in visits for visit in chunk]
    context.add_output_metadata(describe_visits(flat))
