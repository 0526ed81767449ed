"""Records of companies: fresh records come from the cache if possible, all others from the warehouse."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

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
from warehouse.records.history import HistoricalRecord, load_changes, load_first_recorded_at, load_past_record
from warehouse.records.models import Cause, CompanyRecord, Provenance
from warehouse.records.queries import load_record, load_records
from warehouse.records.record_cache import CachedRecord, company_key, pack, unpack

_Value = TypeVar("_Value")


@asynccontextmanager
async def consistent_read(warehouse: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection whose queries all see the same data, because reading a record takes several queries."""
    async with warehouse.connect() as connection:
        yield await connection.execution_options(isolation_level="REPEATABLE READ")


async def load_current_record(warehouse: AsyncEngine, idno: str) -> CompanyRecord | None:
    """Return a company's current record, however old it is; None if there is none."""
    async with consistent_read(warehouse) as connection:
        return await connection.run_sync(load_record, idno)


async def read_record(warehouse: AsyncEngine, idno: str) -> CompanyRecord:
    """Return a company's current record, however old it is. Raises NotFound if there is none."""
    return _existing(idno, await load_current_record(warehouse, idno))


async def read_past_record(warehouse: AsyncEngine, idno: str, at: datetime) -> HistoricalRecord:
    """Return a company's record as it was stored at a time. Raises NotFound if there was none."""
    async with consistent_read(warehouse) as connection:
        since = _existing(idno, await connection.run_sync(load_first_recorded_at, idno))
        if at < since:
            raise NotFound(f"company {idno} had no record at {_iso(at)}; it has one since {_iso(since)}")
        return await connection.run_sync(load_past_record, idno, at)


async def read_changes(
    warehouse: AsyncEngine,
    idno: str,
    *,
    cause: Cause | None,
    field: str | None,
    since: datetime | None,
    limit: int,
    before_id: int | None,
) -> ChangePage:
    """Return changes of a company's record, newest first.

    Args:
        warehouse: The warehouse.
        idno: The company.
        cause: Only changes with this cause.
        field: Only changes of this field.
        since: Only changes that were recorded at this time or later.
        limit: The maximum number of changes to return.
        before_id: Only changes older than the one with this id.

    Raises:
        NotFound: The company has no record.
    """
    load = partial(load_changes, cause=cause, field=field, since=since, before_id=before_id)
    async with consistent_read(warehouse) as connection:
        _existing(idno, await connection.run_sync(load_first_recorded_at, idno))
        # One change more than the page holds shows whether there is a next page.
        changes = await connection.run_sync(partial(load, limit=limit + 1), idno)
    page = changes[:limit]
    return ChangePage(changes=page, next=page[-1].id if len(changes) > limit else None)


async def read_provenance(warehouse: AsyncEngine, idno: str) -> RecordProvenance:
    """Return the provenance of each field of a company's record. Raises NotFound."""
    async with consistent_read(warehouse) as connection:
        return _existing(idno, await connection.run_sync(repository.load_provenance, idno))


async def list_statements(warehouse: AsyncEngine, idno: str) -> CompanyStatements:
    """Return the key figures of a company's statements. Raises NotFound if the company has no record."""
    async with consistent_read(warehouse) as connection:
        return _existing(idno, await connection.run_sync(repository.load_filed_figures, idno))


async def read_statement(warehouse: AsyncEngine, idno: str, year: int) -> FiledStatement:
    """Return a year's statement line by line. Raises NotFound, with the years that are available."""
    async with consistent_read(warehouse) as connection:
        statement = await connection.run_sync(repository.load_filed_statement, idno, year)
        if statement is not None:
            return statement
        filed = _existing(idno, await connection.run_sync(repository.load_filed_figures, idno)).statements
    years = ", ".join(str(figures.year) for figures in filed)
    available = f"available years: {years}" if years else "it has no statements"
    raise NotFound(f"company {idno} has no statement of {year}; {available}")


async def find_by_name(warehouse: AsyncEngine, name: str, *, limit: int) -> list[CompanyFound]:
    """Return companies by name, exact matches first; see `repository.find_by_name`."""
    async with warehouse.connect() as connection:
        return await connection.run_sync(partial(repository.find_by_name, limit=limit), name)


def _existing(idno: str, value: _Value | None) -> _Value:
    if value is None:
        raise NotFound(f"company {idno} has no record; request it with POST /scrape/")
    return value


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def load_current_records(warehouse: AsyncEngine, idnos: Sequence[str]) -> dict[str, CompanyRecord]:
    """Return the current records of these companies by IDNO; companies without a record are left out."""
    if not idnos:
        return {}
    async with consistent_read(warehouse) as connection:
        return await connection.run_sync(load_records, idnos)


def fresh_json(cached: bytes | None, fresh_for: timedelta) -> bytes | None:
    """Return the JSON in a cache entry exactly as stored; None if the entry is missing, unreadable or not fresh."""
    record = unpack(cached)
    return record.json if record is not None and _time_left(record, fresh_for) > timedelta(0) else None


async def load_fresh_record(services: Services, idno: str) -> CompanyRecord | None:
    """Return a company's record if it is fresh, otherwise None."""
    return (await load_fresh_records(services, [idno])).get(idno)


async def load_fresh_records(services: Services, idnos: Sequence[str]) -> dict[str, CompanyRecord]:
    """Return the fresh records of these companies by IDNO: from the cache, else from the warehouse.

    A fresh record from the warehouse is cached if the cache had no entry for its company.
    """
    fresh_for = services.settings.fresh_for
    entries: list[Any] = await services.cache.mget([company_key(idno) for idno in idnos])
    cached: dict[str, bytes | None] = dict(zip(idnos, entries, strict=True))
    fresh = {idno: record for idno, entry in cached.items() if (record := _parse_fresh(entry, fresh_for))}
    missing = [idno for idno in cached if idno not in fresh]
    if not missing:
        return fresh
    oldest = datetime.now(UTC) - fresh_for + timedelta(seconds=1)
    async with consistent_read(services.warehouse) as connection:
        load = partial(load_records, captured_after=oldest)
        stored: dict[str, CompanyRecord] = await connection.run_sync(load, missing)
    uncached = [record for idno, record in stored.items() if cached[idno] is None]
    await _cache(services.cache, uncached, fresh_for)
    return fresh | stored


async def _cache(cache: Redis, records: Sequence[CompanyRecord], fresh_for: timedelta) -> None:
    if not records:
        return
    async with cache.pipeline(transaction=False) as pipeline:
        for record in records:
            # NX keeps an existing entry: a run may have cached a newer record in the meantime.
            time_left = max(_time_left(record.source, fresh_for), timedelta(seconds=1))
            pipeline.set(company_key(record.idno), pack(record), ex=time_left, nx=True)
        await pipeline.execute()


def _parse_fresh(entry: bytes | None, fresh_for: timedelta) -> CompanyRecord | None:
    """Return the record in a cache entry if it is fresh, otherwise None."""
    json = fresh_json(entry, fresh_for)
    return CompanyRecord.model_validate_json(json) if json is not None else None


def _time_left(captured: CachedRecord | Provenance, fresh_for: timedelta) -> timedelta:
    return captured.fetched_at + fresh_for - datetime.now(UTC)
