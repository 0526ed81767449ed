"""What a run does for each of its companies: visit, store the capture, transform it, report the result.

The run does all of this for a company as soon as the company's last visit has ended. So a run that is cancelled or
dies loses only the visits in progress.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from redis import Redis

from pipeline.extract import spool
from pipeline.extract.crawl import Attempt, Crawl, Deferral, Event, Skip
from pipeline.extract.page_capture import Capture
from pipeline.records.capture_store import find_good_capture, store_capture
from pipeline.records.record_updates import TransformResult, update_record
from pipeline.records.warehouse_engine import Transaction
from pipeline.register.tracking import schedule_next_visit
from pipeline.runs.run_metrics import count_transformations, report_visit
from pipeline.runs.run_results import (
    CompanyRunResult,
    find_conclusive_capture,
    store_result,
    without_result,
)
from telemetry import traces
from telemetry.tallies import RESULTS, Tallies
from warehouse.contract import RUN_EVENTS_CHANNEL, RunResult

logger = logging.getLogger(__name__)

NewCrawl = Callable[[Callable[[str], int | None]], Crawl]
"""A function that creates a crawl. Its argument becomes the crawl's `find_new_capture` (see `Crawl`)."""


@dataclass(frozen=True)
class RunContext:
    """What `CompanyRunner` needs to know about its run.

    `run_ids` contains the id of this run and, if it is a retry, the ids of the earlier runs. A company with a
    conclusive capture newer than `since` is not visited. `since` is the time of the request, unless the config sets
    another time. `transforms` says whether the run also updates records.
    """

    run_id: str
    run_ids: tuple[str, ...]
    requested_by: str | None
    since: datetime
    transforms: bool


@dataclass(frozen=True)
class Stores:
    """The stores that a run writes to."""

    transaction: Transaction
    state: Redis
    cache: Redis
    fresh_seconds: int
    spool: Path
    tallies: Tallies


class CompanyRunner:
    """Visits the companies of one run, stores their captures and results, and updates their records."""

    def __init__(self, run: RunContext, stores: Stores, new_crawl: NewCrawl) -> None:
        self._run, self._stores = run, stores
        self._crawl = new_crawl(self._find_new_capture)

    def scrape_all(self, idnos: Iterable[str]) -> Iterator[Event]:
        """Visit companies and yield each event of the crawl after it is stored.

        Skip companies that one of `run_ids` has already finished.
        """
        self._store_spooled()
        with self._stores.transaction() as connection:
            unfinished = without_result(connection, idnos, self._run.run_ids)
        events = self._crawl.visit_all(unfinished)
        try:
            for event in events:
                self._store(event)
                self._stores.tallies.flush()
                yield event
        finally:
            events.close()  # type: ignore[attr-defined] # a generator; this ends the browser now
            self._store_spooled()
            self._stores.tallies.flush()

    def _find_new_capture(self, idno: str) -> int | None:
        with self._stores.transaction() as connection:
            return find_conclusive_capture(connection, idno, self._run.since)

    def _store(self, event: Event) -> None:
        if isinstance(event, Attempt):
            self._store_attempt(event)
        elif isinstance(event, Skip):
            reason = self._transform(event.source_data_id)
            self._report(
                CompanyRunResult(
                    event.idno, RunResult.SKIPPED, event.attempts, event.source_data_id, reason=reason
                )
            )
        elif isinstance(event, Deferral):
            self._report(
                CompanyRunResult(
                    event.idno,
                    RunResult.DEFERRED,
                    event.attempts,
                    deferred_until=event.until,
                    reason=event.reason,
                )
            )

    def _store_attempt(self, attempt: Attempt) -> None:
        report_visit(self._stores.tallies, attempt)
        # Write the capture to disk first, so that it survives an outage of the database.
        path = spool.put(self._stores.spool, attempt.capture)
        with traces.span("store", idno=attempt.capture.idno):
            source_data_id = self._load(attempt.capture)
        spool.remove(path)
        about = {"idno": attempt.capture.idno, "source_data_id": source_data_id}
        logger.info("stored", extra={**about, "capture_id": attempt.capture.capture_id})
        if attempt.retry_in is not None:
            return
        capture = attempt.capture
        with self._stores.transaction() as connection:
            schedule_next_visit(
                connection, idno=capture.idno, outcome=capture.outcome, fetched_at=capture.fetched_at
            )
        reason = self._transform(source_data_id) or capture.error
        self._report(
            CompanyRunResult(capture.idno, RunResult.CAPTURED, capture.attempt, source_data_id, reason=reason)
        )

    def _load(self, capture: Capture) -> int:
        with self._stores.transaction() as connection:
            return store_capture(
                connection, capture, run_id=self._run.run_id, requested_by=self._run.requested_by
            )

    def _transform(self, source_data_id: int) -> str | None:
        """Update the company's record if the capture is a good one and this run transforms.

        Return why the capture could not be read. Return None if it was read, or if there was nothing to do.
        """
        if not self._run.transforms:
            return None
        with self._stores.transaction() as connection:
            capture = find_good_capture(connection, source_data_id)
        if capture is None:
            return None
        with traces.span("transform", idno=capture.idno, source_data_id=source_data_id):
            done = update_record(
                self._stores.transaction,
                self._stores.cache,
                capture,
                fresh_seconds=self._stores.fresh_seconds,
            )
        count_transformations(self._stores.tallies, [done])
        about = {"idno": done.idno, "source_data_id": source_data_id, "result": done.result}
        logger.info("transformed", extra={**about, "changes": done.changes, "note": done.note or None})
        return done.note if done.result is TransformResult.NOT_TRANSFORMED else None

    def _report(self, result: CompanyRunResult) -> None:
        with self._stores.transaction() as connection:
            store_result(connection, self._run.run_id, result)
        self._stores.state.publish(RUN_EVENTS_CHANNEL, self._run.run_id)
        self._stores.tallies.count(RESULTS, result.result)
        about = {"idno": result.idno, "result": result.result, "attempts": result.attempts}
        logger.info("company finished", extra={**about, "reason": result.reason})

    def _store_spooled(self) -> None:
        for path in spool.list_captures(self._stores.spool):
            self._load(spool.get(path))
            spool.remove(path)


def store_spools_of_dead_runs(
    transaction: Transaction, spools: Path, *, has_ended: Callable[[str], bool]
) -> int:
    """Store the captures that dead runs of this machine left in their spools. Return the number of captures.

    Args:
        transaction: Opens a transaction in the warehouse.
        spools: The folder that contains a spool for each run. The spool's name is the run's id.
        has_ended: Takes the id of a run and returns whether that run has ended.
    """
    count = 0
    for folder in spools.iterdir() if spools.is_dir() else ():
        for path in spool.list_captures(folder) if has_ended(folder.name) else ():
            with transaction() as connection:
                store_capture(connection, spool.get(path), run_id=folder.name, requested_by=None)
            spool.remove(path)
            count += 1
    return count
