"""Companies' records: from the cache, else from the warehouse."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from api.companies import repository
from api.companies.schemas import (
    ChangePage,
    CompanyFound,
    CompanyStatements,
    FiledStatement,
    RecordProvenance,
)
from api.problems import NotFound
from api.services import Services
from warehouse.records.history import HistoricalRecord, load_changes, load_held_since, load_past_record
from warehouse.records.models import Cause, CompanyRecord, Provenance
from warehouse.records.queries import load_record, load_records
from warehouse.records.record_cache import CachedRecord, company_key, pack, unpack

_Found = TypeVar("_Found")


@asynccontextmanager
async def one_state(services: Services) -> AsyncIterator[AsyncConnection]:
    """Yield a connection that sees one state of the warehouse: a record is read in several queries."""
    async with services.warehouse.connect() as connection:
        yield await connection.execution_options(isolation_level="REPEATABLE READ")


async def current_record(services: Services, idno: str) -> CompanyRecord | None:
    """Return a company's current record from the warehouse, however old; None if there is none."""
    async with one_state(services) as connection:
        return await connection.run_sync(load_record, idno)


async def read_record(services: Services, idno: str) -> CompanyRecord:
    """Return a company's current record, however old. Raises NotFound."""
    return _held(idno, await current_record(services, idno))


async def past_record(services: Services, idno: str, at: datetime) -> HistoricalRecord:
    """Return a company's record as it was known at a time. Raises NotFound if none was held then."""
    async with one_state(services) as connection:
        since = _held(idno, await connection.run_sync(load_held_since, idno))
        if at < since:
            raise NotFound(
                f"no record of the company {idno} was held at {_shown(at)}; one is held since {_shown(since)}"
            )
        return await connection.run_sync(load_past_record, idno, at)


async def read_changes(
    services: Services,
    idno: str,
    *,
    cause: Cause | None,
    field: str | None,
    since: datetime | None,
    limit: int,
    before_id: int | None,
) -> ChangePage:
    """Return changes of a company's record, the newest first. Raises NotFound if none is held."""
    find = partial(load_changes, cause=cause, field=field, since=since, before_id=before_id)
    async with one_state(services) as connection:
        _held(idno, await connection.run_sync(load_held_since, idno))
        # One more, to see whether the page is the last.
        found = await connection.run_sync(partial(find, limit=limit + 1), idno)
    page = found[:limit]
    return ChangePage(changes=page, next=page[-1].id if len(found) > limit else None)


async def read_provenance(services: Services, idno: str) -> RecordProvenance:
    """Return where each field of a company's record was read. Raises NotFound."""
    async with one_state(services) as connection:
        return _held(idno, await connection.run_sync(repository.load_provenance, idno))


async def list_statements(services: Services, idno: str) -> CompanyStatements:
    """Return the key figures of a company's statements. Raises NotFound if no record of it is held."""
    async with one_state(services) as connection:
        return _held(idno, await connection.run_sync(repository.load_filed_figures, idno))


async def read_statement(services: Services, idno: str, year: int) -> FiledStatement:
    """Return a year's statement line by line. Raises NotFound, which says which years there are."""
    async with one_state(services) as connection:
        statement = await connection.run_sync(repository.load_filed_statement, idno, year)
        if statement is not None:
            return statement
        filed = _held(idno, await connection.run_sync(repository.load_filed_figures, idno)).statements
    years = ", ".join(str(each.year) for each in filed)
    held = f"those of {years} are" if years else "nor of any other year"
    raise NotFound(f"no statement of {year} of the company {idno} is held; {held}")


async def find_by_name(services: Services, name: str, *, limit: int) -> list[CompanyFound]:
    """Return companies whose names hold every word of `name`, the best first."""
    async with services.warehouse.connect() as connection:
        return await connection.run_sync(partial(repository.find_by_name, limit=limit), name)


def _held(idno: str, found: _Found | None) -> _Found:
    if found is None:
        raise NotFound(f"no record of the company {idno} is held; ask for it with POST /scrape/")
    return found


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def current_records(services: Services, idnos: Sequence[str]) -> dict[str, CompanyRecord]:
    """Return the current records that there are of these companies, by IDNO."""
    if not idnos:
        return {}
    async with one_state(services) as connection:
        return await connection.run_sync(load_records, idnos)


def fresh_json(services: Services, held: bytes | None) -> bytes | None:
    """Return the JSON of a record that the cache holds, as it was written; None if it is not fresh, or not ours."""
    cached = unpack(held)
    return cached.json if cached is not None and _left(services, cached) > timedelta(0) else None


async def fresh_record(services: Services, idno: str) -> CompanyRecord | None:
    """Return a company's record if it is fresh."""
    return (await fresh_records(services, [idno])).get(idno)


async def fresh_records(services: Services, idnos: Sequence[str]) -> dict[str, CompanyRecord]:
    """Return the fresh records of these companies: from the cache, or from a warehouse that still has them."""
    cached: list[Any] = await services.cache.mget([company_key(idno) for idno in idnos])
    held: dict[str, bytes | None] = dict(zip(idnos, cached, strict=True))
    fresh = {idno: record for idno, text in held.items() if (record := _fresh(services, text))}
    missing = [idno for idno in held if idno not in fresh]
    if not missing:
        return fresh
    oldest = datetime.now(UTC) - services.settings.fresh_for + timedelta(seconds=1)
    async with one_state(services) as connection:
        load = partial(load_records, captured_after=oldest)
        stored: dict[str, CompanyRecord] = await connection.run_sync(load, missing)
    await _cache(services, [record for idno, record in stored.items() if held[idno] is None])
    return fresh | stored


async def _cache(services: Services, records: Sequence[CompanyRecord]) -> None:
    if not records:
        return
    async with services.cache.pipeline(transaction=False) as pipeline:
        for record in records:
            # Only where there is none: a run may have written a newer one in the meantime.
            left = max(_left(services, record.source), timedelta(seconds=1))
            pipeline.set(company_key(record.idno), pack(record), ex=left, nx=True)
        await pipeline.execute()


def _fresh(services: Services, held: bytes | None) -> CompanyRecord | None:
    """Return a cached record if it is fresh."""
    json = fresh_json(services, held)
    return CompanyRecord.model_validate_json(json) if json is not None else None


def _left(services: Services, captured: CachedRecord | Provenance) -> timedelta:
    return captured.fetched_at + services.settings.fresh_for - datetime.now(UTC)
