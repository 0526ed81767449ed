"""Re-transformation: updates stale records from stored captures, in batches and on several processor cores.

Each batch is one transaction. A record that has been transformed is no longer stale. So after an interruption, the next
re-transformation continues where the last one stopped. Only a few batches are in memory at a time.
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
from pipeline.records.record_updates import Transformation, TransformResult, update_records
from pipeline.records.warehouse_engine import Transaction, engine_for

BATCH = 100
"""The number of companies per transaction: all their pages are in memory, and their records are locked (about 1 s)."""
_PAGE = 2000
_SINGLE_PROCESS_MAX = 2 * BATCH
"""Up to this number of companies, the run's own process does all the work. Starting other processes takes longer."""
_MAX_PASSES = 3

Results = list[Transformation]


def retransform_stale(
    transaction: Transaction,
    warehouse_url: str,
    *,
    cohort: str | None = None,
    processes: int,
    tolerance: Tolerance,
) -> Iterator[Results]:
    """Transform every stale record again and yield the results of each batch.

    Args:
        transaction: Opens a transaction in the warehouse.
        warehouse_url: The warehouse's URL, for the worker processes.
        cohort: Transform only companies of this cohort.
        processes: How many processes transform at the same time.
        tolerance: How many captures of each batch may fail.

    Raises:
        TooManyRefused: So many captures of a batch failed that the parser itself is probably wrong.
    """
    for _ in range(_MAX_PASSES):
        refused = False
        for results in _one_pass(transaction, warehouse_url, cohort, processes, tolerance):
            refused = refused or any(done.result is TransformResult.NOT_TRANSFORMED for done in results)
            yield results
        if (
            not refused
        ):  # if a company's capture was refused, the next pass tries an earlier capture of the company
            return


def _one_pass(
    transaction: Transaction, warehouse_url: str, cohort: str | None, processes: int, tolerance: Tolerance
) -> Iterator[Results]:
    idnos = _stale(transaction, cohort)
    first = list(islice(idnos, _SINGLE_PROCESS_MAX + 1))
    if processes == 1 or len(first) <= _SINGLE_PROCESS_MAX:
        for batch in _batches(chain(first, idnos)):
            yield transform_companies(transaction, batch, tolerance)
        return
    with closing(_WorkerPool(warehouse_url, processes, tolerance)) as workers:
        yield from workers.run(_batches(chain(first, idnos)))


def transform_companies(transaction: Transaction, idnos: Sequence[str], tolerance: Tolerance) -> Results:
    """Transform each company's newest good capture that this transform version has not put into quarantine."""
    with transaction() as connection:
        captures = captures_to_transform(connection, idnos)
    return update_records(transaction, captures, tolerance=tolerance) if captures else []


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


def _take_finished(pending: set[Future[Results]]) -> Iterator[Results]:
    """Wait until at least one future has finished. Remove the finished ones and yield their results."""
    done, _ = wait(pending, return_when=FIRST_COMPLETED)
    pending -= done
    for future in done:
        yield future.result()


class _WorkerPool:
    """Worker processes. Each reads, transforms and writes batches over its own database connection."""

    def __init__(self, warehouse_url: str, processes: int, tolerance: Tolerance) -> None:
        self._max_pending = 2 * processes
        self._tolerance = tolerance
        # Not forked, because this process has threads and connections.
        self._pool = ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), _initialize_worker, (warehouse_url,)
        )

    def run(self, batches: Iterator[list[str]]) -> Iterator[Results]:
        """Yield the results of each finished batch. Submit only as many batches as keep all processes busy."""
        pending: set[Future[Results]] = set()
        for batch in batches:
            pending.add(self._pool.submit(_transform_batch, batch, self._tolerance))
            if len(pending) >= self._max_pending:
                yield from _take_finished(pending)
        while pending:
            yield from _take_finished(pending)

    def close(self) -> None:
        """Start no further batch. Wait until the running batches have been committed or rolled back."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_transaction: Transaction | None = None
"""Opens a transaction in a worker process."""


def _initialize_worker(warehouse_url: str) -> None:
    global _transaction
    _transaction = engine_for(warehouse_url, pool_size=1).begin
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """End this process when the run's process has been killed. The database rolls back the open transaction."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for_sentinel([parent.sentinel])
        os._exit(1)


def _transform_batch(idnos: list[str], tolerance: Tolerance) -> Results:
    assert _transaction is not None
    return transform_companies(_transaction, idnos, tolerance)
