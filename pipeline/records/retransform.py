"""Stale records transformed again from stored captures: in batches, on several cores, never more than a few in memory.

Each batch is one transaction. What is done is stale no more: whoever goes on after a stop, of any kind, goes on there.
"""

import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import closing
from itertools import chain, islice
from multiprocessing.connection import wait as wait_for_sentinel

from pipeline.records.capture_store import captures_to_transform, stale_companies
from pipeline.records.quarantine import Tolerance
from pipeline.records.record_updates import NOT_TRANSFORMED, Transaction, Transformation, make_all_current
from pipeline.records.warehouse_engine import engine_for

BATCH = 100
"""Companies a transaction: their pages are in memory at once, their records locked for about a second."""
_PAGE = 2000
_ALONE = 2 * BATCH
"""Up to so many companies are done in this process: others would take longer to start."""
_MOST_PASSES = 3

Results = list[Transformation]


def retransform_stale(
    transaction: Transaction,
    warehouse_url: str,
    *,
    cohort: str | None = None,
    processes: int,
    tolerance: Tolerance,
) -> Iterator[Results]:
    """Make every stale record (of a cohort) current; yield what became of each batch.

    Raises TooManyRefused if this version cannot read so many captures that the reading itself must be wrong.
    """
    for _ in range(_MOST_PASSES):
        refused = False
        for results in _one_pass(transaction, warehouse_url, cohort, processes, tolerance):
            refused = refused or any(each.result == NOT_TRANSFORMED for each in results)
            yield results
        if not refused:  # else the capture before the one refused may have its turn
            return


def _one_pass(
    transaction: Transaction, warehouse_url: str, cohort: str | None, processes: int, tolerance: Tolerance
) -> Iterator[Results]:
    idnos = _stale(transaction, cohort)
    first = list(islice(idnos, _ALONE + 1))
    if processes == 1 or len(first) <= _ALONE:
        for batch in _batches(chain(first, idnos)):
            yield transform_companies(transaction, batch, tolerance)
        return
    with closing(_Workers(warehouse_url, processes, tolerance)) as workers:
        yield from workers.run(_batches(chain(first, idnos)))


def transform_companies(transaction: Transaction, idnos: Sequence[str], tolerance: Tolerance) -> Results:
    """Make the newest captures of these companies, that this version has not refused before, current."""
    with transaction() as connection:
        captures = captures_to_transform(connection, idnos)
    return make_all_current(transaction, captures, tolerance=tolerance) if captures else []


def _stale(transaction: Transaction, cohort: str | None) -> Iterator[str]:
    after = ""
    while True:
        with transaction() as connection:
            page = stale_companies(connection, cohort=cohort, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1]


def _batches(idnos: Iterable[str]) -> Iterator[list[str]]:
    idnos = iter(idnos)
    while batch := list(islice(idnos, BATCH)):
        yield batch


def _ended(begun: set[Future[Results]]) -> Iterator[Results]:
    """Take out what has ended, waiting for the first; yield the results."""
    done, _ = wait(begun, return_when=FIRST_COMPLETED)
    begun -= done
    for future in done:
        yield future.result()


class _Workers:
    """Processes that each read, transform and write batches over a connection of their own."""

    def __init__(self, warehouse_url: str, processes: int, tolerance: Tolerance) -> None:
        self._most = 2 * processes
        self._tolerance = tolerance
        # Not forked: this process has threads and connections.
        self._pool = ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), _begin, (warehouse_url,)
        )

    def run(self, batches: Iterator[list[str]]) -> Iterator[Results]:
        """Yield the results of batches as they come, with no more begun than keep the processes busy."""
        begun: set[Future[Results]] = set()
        for batch in batches:
            begun.add(self._pool.submit(_work, batch, self._tolerance))
            if len(begun) >= self._most:
                yield from _ended(begun)
        while begun:
            yield from _ended(begun)

    def close(self) -> None:
        """Begin no further batch, and wait for those under way: each is a transaction, done or undone."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_transaction: Transaction | None = None
"""Of a worker process."""


def _begin(warehouse_url: str) -> None:
    global _transaction
    _transaction = engine_for(warehouse_url, pool_size=1).begin
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose run was killed ends; what it had begun is rolled back."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_sentinel([parent.sentinel])
        os._exit(1)


def _work(idnos: list[str], tolerance: Tolerance) -> Results:
    assert _transaction is not None
    return transform_companies(_transaction, idnos, tolerance)
