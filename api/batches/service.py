"""The way of a batch: what is held is answered at once, the rest is written down whole, and launched in parts."""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence, Set
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.audit.events import Event, record_event
from api.auth.callers import Caller
from api.auth.roles import Role
from api.batches import repository
from api.batches.repository import Batch
from api.batches.schemas import BatchAnswer, BatchCompany, BatchItem, BatchRequest, BatchState, BatchStatus
from api.batches.verdicts import Item, ItemVerdict, read_items
from api.companies.service import current_records, fresh_records
from api.dagster.dagster_client import DagsterUnavailable
from api.metrics.process_metrics import process_metrics
from api.problems import Invalid, NotFound, Unavailable
from api.runtime.client_address import RequestClient
from api.runtime.wakeups import WORK
from api.scrape import launches
from api.scrape import repository as scrapes
from api.scrape.launches import LaunchOrigin
from api.scrape.repository import RequestedScrape
from api.scrape.schemas import CompanyState
from api.scrape.states import ScrapeState
from api.scrape.waiting import STREAM_SECONDS, look_until_over, wait_until_over
from api.services import Services
from warehouse.contract import Outcome, RunKind
from warehouse.records.models import CompanyRecord

logger = logging.getLogger(__name__)


async def submit(
    services: Services, caller: Caller, request: BatchRequest, *, key: str | None, body: bytes
) -> BatchAnswer:
    """Make a batch, or return the one that the caller made with this key and body.

    Raises Invalid if no item is an IDNO or the key came with another body, Unavailable if no run can be had.
    """
    digest = sha256(body).hexdigest()
    if key is not None and (answer := await _made_before(services, caller, key, digest)):
        return answer
    items = read_items(request.idnos)
    asked = [item.idno for item in items if item.verdict is None and item.idno]
    if not asked:
        raise Invalid("idnos", f"none of the {len(items)} items is an IDNO; the first: {items[0].reason}")
    held = {} if request.force_refresh else await fresh_records(services, asked)
    if len(held) < len(asked):
        await _check(services)
    async with services.users.begin() as connection:
        batch_id = await repository.add(
            connection, caller.user_id, key, body_sha256=digest, force_refresh=request.force_refresh
        )
        if batch_id is not None:
            items = await _write_down(
                connection,
                batch_id,
                caller,
                request,
                items=items,
                held=held,
                run_companies=services.settings.run_companies,
            )
    if batch_id is not None:
        # From here on it ends, whatever dies: the reconcilers launch what waits.
        await services.wakeups.publish(WORK)
        _tell(caller, batch_id, items)
        return _answer(batch_id, items, held)
    # Somebody else made it at the same moment: `add` has waited for their end.
    answer = await _made_before(services, caller, str(key), digest)
    assert answer is not None
    return answer


def _tell(caller: Caller, batch_id: UUID, items: Sequence[Item]) -> None:
    counts = Counter(str(item.verdict) for item in items)
    for verdict, count in counts.items():
        process_metrics().batch_items.labels(verdict).inc(count)
    logger.info("batch accepted", extra={"batch_id": batch_id, "user": caller.username, **counts})


async def _check(services: Services) -> None:
    try:
        await services.dagster.check()
    except DagsterUnavailable as error:
        raise Unavailable(f"no run can be launched: {error}") from error


async def _write_down(
    connection: AsyncConnection,
    batch_id: UUID,
    caller: Caller,
    request: BatchRequest,
    *,
    items: Sequence[Item],
    held: Mapping[str, CompanyRecord],
    run_companies: int,
) -> list[Item]:
    """Write a batch down with all that has to be fetched for it; return its items with their verdicts."""
    wanted = [item.idno for item in items if item.verdict is None and item.idno and item.idno not in held]
    scrape_ids, new = await scrapes.open_or_join(connection, wanted)
    decided = [_decided(item, held=held.keys(), new=new) for item in items]
    if wanted:
        await repository.add_requests(
            connection,
            batch_id,
            list(scrape_ids.values()),
            user_id=caller.user_id,
            force_refresh=request.force_refresh,
        )
        opened = [scrape_ids[idno] for idno in wanted if idno in new]
        origin = LaunchOrigin.here(str(batch_id))
        await launches.create_in_parts(
            connection, opened, kind=RunKind.BULK, run_companies=run_companies, origin=origin
        )
    await repository.add_items(connection, batch_id, decided, scrape_ids)
    return decided


def _decided(item: Item, *, held: Set[str], new: Set[str]) -> Item:
    if item.verdict is not None:
        return item
    if item.idno in held:
        return replace(item, verdict=ItemVerdict.CACHED)
    return replace(item, verdict=ItemVerdict.ACCEPTED if item.idno in new else ItemVerdict.JOINED)


async def _made_before(services: Services, caller: Caller, key: str, digest: str) -> BatchAnswer | None:
    """Return the answer to the batch that the caller made with a key. Raises Invalid if its body was another."""
    async with services.users.connect() as connection:
        batch = await repository.find_by_key(connection, caller.user_id, key)
        if batch is None:
            return None
        if batch.body_sha256 != digest:
            raise Invalid("Idempotency-Key", "was used for a request with another body; take a new one")
        items = await repository.list_items(connection, batch.id)
    cached = [item.idno for item in items if item.verdict is ItemVerdict.CACHED and item.idno]
    return _answer(batch.id, items, await current_records(services, cached))


def _answer(batch_id: UUID, items: Sequence[Item], held: Mapping[str, CompanyRecord]) -> BatchAnswer:
    counts = Counter(item.verdict for item in items)
    return BatchAnswer(
        batch_id=batch_id,
        status_url=f"/scrape/batch/{batch_id}/",
        counts={verdict: counts[verdict] for verdict in ItemVerdict},
        items=[_shown(item, held) for item in items],
    )


def _shown(item: Item, held: Mapping[str, CompanyRecord]) -> BatchItem:
    assert item.verdict is not None
    data = held.get(str(item.idno)) if item.verdict is ItemVerdict.CACHED else None
    return BatchItem(
        position=item.position,
        given=item.given,
        idno=item.idno,
        verdict=item.verdict,
        reason=item.reason,
        data=data,
    )


async def read_status(
    services: Services, caller: Caller, batch_id: UUID, *, wait: float = 0.0
) -> BatchStatus:
    """Return where a batch of the caller's stands, once it is over or the time is up. Raises NotFound."""
    look = partial(_status, services, caller, batch_id)
    status = await look()
    if status.is_over or not wait:
        return status
    topics = await _topics(services, batch_id)
    return await wait_until_over(services, look, topics=topics, seconds=wait)


async def stream_status(
    services: Services, caller: Caller, batch_id: UUID
) -> AsyncGenerator[BatchStatus, None]:
    """Yield where a batch stands, whenever that changes, with the companies that changed; until it is over."""
    look = partial(_status, services, caller, batch_id)
    shown: BatchStatus | None = None
    known: dict[str, BatchCompany] = {}
    looks = look_until_over(services, look, topics=await _topics(services, batch_id), seconds=STREAM_SECONDS)
    async with aclosing(looks):
        async for status in looks:
            if status == shown:
                continue
            changed = [each for each in status.companies if known.get(each.idno) != each]
            known |= {each.idno: each for each in changed}
            shown = status
            yield status.model_copy(update={"companies": changed})


async def _status(services: Services, caller: Caller, batch_id: UUID) -> BatchStatus:
    async with services.users.connect() as connection:
        batch = await find(connection, caller, batch_id)
        cached = [_cached(idno) for idno in await repository.list_cached(connection, batch_id)]
        asked = await repository.list_asked(connection, batch_id)
    companies = [
        *cached,
        *(_company(verdict, each) for verdict, each in asked),
    ]
    ends = [each.finished_at or batch.created_at for _, each in asked]
    is_over = all(each.is_over for _, each in asked)
    state = BatchState.FINISHED if is_over else BatchState.RUNNING
    return BatchStatus(
        batch_id=batch_id,
        state=BatchState.CANCELLED if batch.cancelled_at else state,
        counts=dict(Counter(company.state for company in companies)),
        companies=companies,
        created_at=batch.created_at,
        ended_at=batch.cancelled_at or (max(ends, default=batch.created_at) if is_over else None),
    )


def _company(verdict: ItemVerdict, asked: RequestedScrape) -> BatchCompany:
    company = CompanyState.model_validate(asked)
    return BatchCompany(**company.model_dump(), verdict=verdict, run_id=asked.run_id)


def _cached(idno: str) -> BatchCompany:
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


async def _topics(services: Services, batch_id: UUID) -> frozenset[str]:
    async with services.users.connect() as connection:
        asked = await repository.list_asked(connection, batch_id)
    return frozenset(str(each.scrape_id) for _, each in asked)


async def find(connection: AsyncConnection, caller: Caller, batch_id: UUID) -> Batch:
    """Return a batch of the caller's (an admin: anybody's). Raises NotFound."""
    owner = None if caller.role is Role.ADMIN else caller.user_id
    batch = await repository.find(connection, batch_id, user_id=owner)
    if batch is None:
        raise NotFound("no batch with this id was made by you")
    return batch


async def cancel(services: Services, client: RequestClient, caller: Caller, batch_id: UUID) -> None:
    """Want no more of a batch; what was done stays, and what others want goes on. Raises NotFound.

    The reconciler ends the runs that nobody wants now.
    """
    async with services.users.begin() as connection:
        await find(connection, caller, batch_id)
        ids = await repository.cancel(connection, batch_id)
        if ids:
            detail = f"batch {batch_id}: {len(ids)} companies"
            await record_event(connection, Event.BATCH_CANCELLED, client, actor=caller.account, detail=detail)
    await services.wakeups.publish(WORK, *map(str, ids))
