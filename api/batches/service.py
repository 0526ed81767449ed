"""Batches: fresh records are returned immediately, runs fetch the other companies.

The scrapes of these companies are stored in one transaction and distributed over launches.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence, Set
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.audit.events import Event, record_event
from api.auth.callers import Caller
from api.auth.roles import Role
from api.batches import repository
from api.batches.repository import Batch, BatchScrape
from api.batches.schemas import BatchAnswer, BatchCompany, BatchItem, BatchRequest, BatchState, BatchStatus
from api.batches.verdicts import Item, ItemVerdict, read_items
from api.companies.service import load_current_records, load_fresh_records
from api.dagster.dagster_client import DagsterClient, DagsterUnavailable
from api.metrics.process_metrics import process_metrics
from api.problems import Invalid, NotFound, Unavailable
from api.runtime.client_address import RequestClient
from api.runtime.wakeups import WORK, WakeupBus
from api.scrape import launches
from api.scrape import repository as scrapes
from api.scrape.launches import LaunchOrigin
from api.scrape.schemas import CompanyState
from api.scrape.states import ScrapeState
from api.scrape.waiting import STREAM_SECONDS, poll_until_ended, wait_until_ended
from api.services import Services
from warehouse.contract import Outcome, RunKind
from warehouse.records.models import CompanyRecord

logger = logging.getLogger(__name__)


async def submit(
    services: Services, caller: Caller, request: BatchRequest, *, key: str | None, body: bytes
) -> BatchAnswer:
    """Create a batch, or return the batch that the caller created earlier with this key and body.

    Args:
        services: The API's services.
        caller: The user who requests the batch.
        request: The parsed body.
        key: The idempotency key.
        body: The body as sent. A repeated request with the same key must have the same body.

    Raises:
        Invalid: No item is an IDNO, or the key was used with another body.
        Unavailable: No run can be launched.
    """
    digest = sha256(body).hexdigest()
    find_earlier = partial(
        _find_earlier_answer, users=services.users, warehouse=services.warehouse, caller=caller, digest=digest
    )
    if key is not None and (answer := await find_earlier(key=key)):
        return answer
    items, valid_idnos = _read_items(request)
    fresh = {} if request.force_refresh else await load_fresh_records(services, valid_idnos)
    if len(fresh) < len(valid_idnos):
        await _check_dagster(services.dagster)
    async with services.users.begin() as connection:
        batch_id = await repository.add(
            connection, caller.user_id, key, body_sha256=digest, force_refresh=request.force_refresh
        )
        if batch_id is not None:
            items = await _store_items(
                connection,
                batch_id,
                caller,
                request,
                items=items,
                fresh=fresh,
                run_companies=services.settings.run_companies,
            )
    if batch_id is not None:
        # From here on the batch completes even if this process dies: any reconciler launches its runs.
        await services.wakeups.publish(WORK)
        _report_batch(caller, batch_id, items)
        return _answer(batch_id, items, fresh)
    # A concurrent request has created the batch; `add` waited for its transaction.
    answer = await find_earlier(key=str(key))
    assert answer is not None
    return answer


def _read_items(request: BatchRequest) -> tuple[list[Item], list[str]]:
    """Return the items and the distinct valid IDNOs. Raises Invalid if there are none."""
    items = read_items(request.idnos)
    valid_idnos = [item.idno for item in items if item.verdict is None and item.idno]
    if not valid_idnos:
        raise Invalid("idnos", f"none of the {len(items)} items is an IDNO; the first: {items[0].reason}")
    return items, valid_idnos


def _report_batch(caller: Caller, batch_id: UUID, items: Sequence[Item]) -> None:
    counts = Counter(str(item.verdict) for item in items)
    for verdict, count in counts.items():
        process_metrics().batch_items.labels(verdict).inc(count)
    logger.info("batch accepted", extra={"batch_id": batch_id, "user": caller.username, **counts})


async def _check_dagster(dagster: DagsterClient) -> None:
    try:
        await dagster.check()
    except DagsterUnavailable as error:
        raise Unavailable(f"no run can be launched: {error}") from error


async def _store_items(
    connection: AsyncConnection,
    batch_id: UUID,
    caller: Caller,
    request: BatchRequest,
    *,
    items: Sequence[Item],
    fresh: Mapping[str, CompanyRecord],
    run_companies: int,
) -> list[Item]:
    """Store a batch's items, requests and launches; return the items with their verdicts.

    Args:
        connection: The transaction that has created the batch.
        batch_id: The batch.
        caller: The user who requests the batch.
        request: The parsed body.
        items: The items as `read_items` returned them.
        fresh: The fresh records by IDNO; these companies are not fetched.
        run_companies: The maximum number of companies in a run.
    """
    to_fetch = [item.idno for item in items if item.verdict is None and item.idno and item.idno not in fresh]
    scrape_ids, new = await scrapes.open_or_join(connection, to_fetch)
    decided = [_with_verdict(item, fresh=fresh.keys(), new=new) for item in items]
    if to_fetch:
        await repository.add_requests(
            connection,
            batch_id,
            list(scrape_ids.values()),
            user_id=caller.user_id,
            force_refresh=request.force_refresh,
        )
        to_launch = [scrape_ids[idno] for idno in to_fetch if idno in new]
        origin = LaunchOrigin.current(str(batch_id))
        await launches.create_in_parts(
            connection, to_launch, kind=RunKind.BULK, run_companies=run_companies, origin=origin
        )
    await repository.add_items(connection, batch_id, decided, scrape_ids)
    return decided


def _with_verdict(item: Item, *, fresh: Set[str], new: Set[str]) -> Item:
    if item.verdict is not None:
        return item
    if item.idno in fresh:
        return replace(item, verdict=ItemVerdict.CACHED)
    return replace(item, verdict=ItemVerdict.ACCEPTED if item.idno in new else ItemVerdict.JOINED)


async def _find_earlier_answer(
    *, users: AsyncEngine, warehouse: AsyncEngine, caller: Caller, key: str, digest: str
) -> BatchAnswer | None:
    """Return the answer for the caller's batch with this key. Raises Invalid if its body differs."""
    async with users.connect() as connection:
        batch = await repository.find_by_key(connection, caller.user_id, key)
        if batch is None:
            return None
        if batch.body_sha256 != digest:
            raise Invalid("Idempotency-Key", "was already used with another body; use a new key")
        items = await repository.list_items(connection, batch.id)
    cached = [item.idno for item in items if item.verdict is ItemVerdict.CACHED and item.idno]
    return _answer(batch.id, items, await load_current_records(warehouse, cached))


def _answer(batch_id: UUID, items: Sequence[Item], records: Mapping[str, CompanyRecord]) -> BatchAnswer:
    counts = Counter(item.verdict for item in items)
    return BatchAnswer(
        batch_id=batch_id,
        status_url=f"/scrape/batch/{batch_id}/",
        counts={verdict: counts[verdict] for verdict in ItemVerdict},
        items=[_batch_item(item, records) for item in items],
    )


def _batch_item(item: Item, records: Mapping[str, CompanyRecord]) -> BatchItem:
    assert item.verdict is not None
    data = records.get(str(item.idno)) if item.verdict is ItemVerdict.CACHED else None
    return BatchItem(
        position=item.position,
        given=item.given,
        idno=item.idno,
        verdict=item.verdict,
        reason=item.reason,
        data=data,
    )


async def read_status(
    users: AsyncEngine, wakeups: WakeupBus, caller: Caller, batch_id: UUID, *, wait: float = 0.0
) -> BatchStatus:
    """Return the status of one of the caller's batches.

    Args:
        users: The users database.
        wakeups: Wakes this call when the state of a company changes.
        caller: The account that requested the batch, or an administrator.
        batch_id: The batch.
        wait: How many seconds to wait for the end of the batch; 0 returns the status immediately.

    Raises:
        NotFound: The caller has no such batch.
    """
    load_status = partial(_load_status, users, caller, batch_id)
    status = await load_status()
    if status.has_ended or not wait:
        return status
    topics = await _load_topics(users, batch_id)
    return await wait_until_ended(wakeups, load_status, topics=topics, seconds=wait)


async def stream_status(
    users: AsyncEngine, wakeups: WakeupBus, caller: Caller, batch_id: UUID
) -> AsyncGenerator[BatchStatus, None]:
    """Yield the status of a batch now and after each change, until the batch ends, for at most STREAM_SECONDS.

    The first status contains all companies, each later one only those that changed.
    """
    load_status = partial(_load_status, users, caller, batch_id)
    topics = await _load_topics(users, batch_id)
    last_status: BatchStatus | None = None
    last_companies: dict[str, BatchCompany] = {}
    statuses = poll_until_ended(wakeups, load_status, topics=topics, seconds=STREAM_SECONDS)
    async with aclosing(statuses):
        async for status in statuses:
            if status == last_status:
                continue
            changed = [company for company in status.companies if last_companies.get(company.idno) != company]
            last_companies |= {company.idno: company for company in changed}
            last_status = status
            yield status.model_copy(update={"companies": changed})


async def _load_status(users: AsyncEngine, caller: Caller, batch_id: UUID) -> BatchStatus:
    async with users.connect() as connection:
        batch = await find(connection, caller, batch_id)
        cached = await repository.list_cached(connection, batch_id)
        batch_scrapes = await repository.list_scrapes(connection, batch_id)
    companies = [*map(_cached_company, cached), *map(_requested_company, batch_scrapes)]
    views = [scrape.view for scrape in batch_scrapes]
    has_ended = all(view.has_ended for view in views)
    state = BatchState.FINISHED if has_ended else BatchState.RUNNING
    last_end = max((view.finished_at or batch.created_at for view in views), default=batch.created_at)
    return BatchStatus(
        batch_id=batch_id,
        state=BatchState.CANCELLED if batch.cancelled_at else state,
        counts=dict(Counter(company.state for company in companies)),
        companies=companies,
        created_at=batch.created_at,
        ended_at=batch.cancelled_at or (last_end if has_ended else None),
    )


def _requested_company(scrape: BatchScrape) -> BatchCompany:
    company = CompanyState.model_validate(scrape.view)
    return BatchCompany(**company.model_dump(), verdict=scrape.verdict, run_id=scrape.view.run_id)


def _cached_company(idno: str) -> BatchCompany:
    return BatchCompany(
        idno=idno,
        state=ScrapeState.SUCCEEDED,
        outcome=Outcome.OK,
        attempts=None,
        error=None,
        deferred_until=None,
        verdict=ItemVerdict.CACHED,
        run_id=None,
    )


async def _load_topics(users: AsyncEngine, batch_id: UUID) -> frozenset[str]:
    async with users.connect() as connection:
        batch_scrapes = await repository.list_scrapes(connection, batch_id)
    return frozenset(str(scrape.view.scrape_id) for scrape in batch_scrapes)


async def find(connection: AsyncConnection, caller: Caller, batch_id: UUID) -> Batch:
    """Return one of the caller's batches; an admin gets any batch. Raises NotFound."""
    user_id = None if caller.role is Role.ADMIN else caller.user_id
    batch = await repository.find(connection, batch_id, user_id=user_id)
    if batch is None:
        raise NotFound("you have no batch with this id")
    return batch


async def cancel(
    users: AsyncEngine, wakeups: WakeupBus, client: RequestClient, caller: Caller, batch_id: UUID
) -> None:
    """Cancel a batch. Scrapes that have ended and the requests of other users and batches stay. Raises NotFound.

    The reconciler terminates the runs that no other request needs.

    Args:
        users: The API's own database.
        wakeups: Wakes the reconciler and the clients that wait for the batch.
        client: The client's address and user agent, for the audit log.
        caller: The user who cancels.
        batch_id: The batch.
    """
    async with users.begin() as connection:
        await find(connection, caller, batch_id)
        scrape_ids = await repository.cancel(connection, batch_id)
        if scrape_ids:
            detail = f"batch {batch_id}: {len(scrape_ids)} companies"
            await record_event(connection, Event.BATCH_CANCELLED, client, actor=caller.account, detail=detail)
    await wakeups.publish(WORK, *map(str, scrape_ids))
