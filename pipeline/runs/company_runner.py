"""What one run does for its companies: visit, store, transform and tell, company by company, as each comes.

Each company is brought to its end at once. A run that is cancelled or dies loses no more than the visits under way.
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
from pipeline.records.record_updates import NOT_TRANSFORMED, Transaction, make_current
from pipeline.register.tracking import schedule_next_visit
from pipeline.runs.run_metrics import note_transformations, note_visit
from pipeline.runs.run_results import Result, captured_since, note_result, without_result
from telemetry import traces
from telemetry.tallies import RESULTS, Tallies
from warehouse.contract import RUN_EVENTS_CHANNEL, RunResult

logger = logging.getLogger(__name__)

NewCrawl = Callable[[Callable[[str], int | None]], Crawl]


@dataclass(frozen=True)
class RunContext:
    """The run, as far as its work depends on it. `run_ids`: it, and those it was tried again from."""

    run_id: str
    run_ids: tuple[str, ...]
    requested_by: str | None
    since: datetime
    transforms: bool


@dataclass(frozen=True)
class Stores:
    """Where things go."""

    transaction: Transaction
    state: Redis
    cache: Redis
    fresh_seconds: int
    spool: Path
    tallies: Tallies


class CompanyRunner:
    """The work of one run."""

    def __init__(self, run: RunContext, stores: Stores, new_crawl: NewCrawl) -> None:
        self._run, self._stores = run, stores
        self._crawl = new_crawl(self._captured_meanwhile)

    def scrape_all(self, idnos: Iterable[str]) -> Iterator[Event]:
        """Yield each event of the crawl once it is stored. What this run was done with before is left out."""
        self._store_spooled()
        with self._stores.transaction() as connection:
            left = without_result(connection, idnos, self._run.run_ids)
        events = self._crawl.visit_all(left)
        try:
            for event in events:
                self._store(event)
                self._stores.tallies.flush()
                yield event
        finally:
            events.close()  # type: ignore[attr-defined] # a generator: the browser ends now
            self._store_spooled()
            self._stores.tallies.flush()

    def _captured_meanwhile(self, idno: str) -> int | None:
        with self._stores.transaction() as connection:
            return captured_since(connection, idno, self._run.since)

    def _store(self, event: Event) -> None:
        if isinstance(event, Attempt):
            self._store_attempt(event)
        elif isinstance(event, Skip):
            reason = self._transform(event.source_data_id)
            self._tell(
                Result(event.idno, RunResult.SKIPPED, event.attempts, event.source_data_id, reason=reason)
            )
        elif isinstance(event, Deferral):
            self._tell(
                Result(
                    event.idno,
                    RunResult.DEFERRED,
                    event.attempts,
                    deferred_until=event.until,
                    reason=event.reason,
                )
            )

    def _store_attempt(self, attempt: Attempt) -> None:
        note_visit(self._stores.tallies, attempt)
        # First on disk: what was seen outlives an outage of the database.
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
        self._tell(Result(capture.idno, RunResult.CAPTURED, capture.attempt, source_data_id, reason=reason))

    def _load(self, capture: Capture) -> int:
        with self._stores.transaction() as connection:
            return store_capture(
                connection, capture, run_id=self._run.run_id, requested_by=self._run.requested_by
            )

    def _transform(self, source_data_id: int) -> str | None:
        """Make a good capture current; return why that did not work, if so."""
        if not self._run.transforms:
            return None
        with self._stores.transaction() as connection:
            capture = find_good_capture(connection, source_data_id)
        if capture is None:
            return None
        with traces.span("transform", idno=capture.idno, source_data_id=source_data_id):
            done = make_current(
                self._stores.transaction,
                self._stores.cache,
                capture,
                fresh_seconds=self._stores.fresh_seconds,
            )
        note_transformations(self._stores.tallies, [done])
        about = {"idno": done.idno, "source_data_id": source_data_id, "result": done.result}
        logger.info("made current", extra={**about, "changes": done.changes, "note": done.note or None})
        return done.note if done.result == NOT_TRANSFORMED else None

    def _tell(self, result: Result) -> None:
        with self._stores.transaction() as connection:
            note_result(connection, self._run.run_id, result)
        self._stores.state.publish(RUN_EVENTS_CHANNEL, self._run.run_id)
        self._stores.tallies.count(RESULTS, result.result)
        about = {"idno": result.idno, "result": result.result, "attempts": result.attempts}
        logger.info("done with a company", extra={**about, "reason": result.reason})

    def _store_spooled(self) -> None:
        for path in spool.list_captures(self._stores.spool):
            self._load(spool.get(path))
            spool.remove(path)


def store_leftovers(transaction: Transaction, spools: Path, *, is_over: Callable[[str], bool]) -> int:
    """Store what runs that died on this machine had seen and not stored; return how many captures that was."""
    count = 0
    for folder in spools.iterdir() if spools.is_dir() else ():
        for path in spool.list_captures(folder) if is_over(folder.name) else ():
            with transaction() as connection:
                store_capture(connection, spool.get(path), run_id=folder.name, requested_by=None)
            spool.remove(path)
            count += 1
    return count
