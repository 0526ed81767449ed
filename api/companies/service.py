"""Companies' records: from the cache, else from the warehouse."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from pydantic import ValidationError

from api.services import Services
from warehouse.contract import company_key
from warehouse.queries import load_record, load_records
from warehouse.records import CompanyRecord


async def current_record(services: Services, idno: str) -> CompanyRecord | None:
    """Return a company's current record from the warehouse, however old; None if there is none."""
    async with services.warehouse.connect() as connection:
        return await connection.run_sync(load_record, idno)


async def current_records(services: Services, idnos: Sequence[str]) -> dict[str, CompanyRecord]:
    """Return the current records that there are of these companies, by IDNO."""
    if not idnos:
        return {}
    async with services.warehouse.connect() as connection:
        return await connection.run_sync(load_records, idnos)


async def fresh_record(services: Services, idno: str) -> CompanyRecord | None:
    """Return a company's record if it is fresh."""
    return (await fresh_records(services, [idno])).get(idno)


async def fresh_records(services: Services, idnos: Sequence[str]) -> dict[str, CompanyRecord]:
    """Return the fresh records of these companies: from the cache, or from a warehouse that still has them."""
    held = dict(zip(idnos, await services.cache.mget([company_key(idno) for idno in idnos]), strict=True))
    fresh = {idno: record for idno, text in held.items() if (record := _fresh(services, text))}
    missing = [idno for idno in held if idno not in fresh]
    if not missing:
        return fresh
    oldest = datetime.now(UTC) - services.settings.fresh_for + timedelta(seconds=1)
    async with services.warehouse.connect() as connection:
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
            left = max(_fresh_for(services, record), timedelta(seconds=1))
            pipeline.set(company_key(record.idno), record.model_dump_json(), ex=left, nx=True)
        await pipeline.execute()


def _fresh(services: Services, cached: str | bytes | None) -> CompanyRecord | None:
    """Return a cached record if it is fresh."""
    record = _readable(cached) if cached is not None else None
    return record if record and _fresh_for(services, record) > timedelta(0) else None


def _readable(cached: str | bytes) -> CompanyRecord | None:
    """Return a cached record; None for one that another version of this program wrote."""
    try:
        return CompanyRecord.model_validate_json(cached)
    except ValidationError:
        return None


def _fresh_for(services: Services, record: CompanyRecord) -> timedelta:
    return record.source.fetched_at + services.settings.fresh_for - datetime.now(UTC)
