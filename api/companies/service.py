"""Companies' records: from the cache, else from the warehouse."""

from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from api.services import Services
from warehouse.contract import company_key
from warehouse.queries import load_record
from warehouse.records import CompanyRecord


async def current_record(services: Services, idno: str) -> CompanyRecord | None:
    """Return a company's current record from the warehouse, however old; None if there is none."""
    async with services.warehouse.connect() as connection:
        return await connection.run_sync(load_record, idno)


async def fresh_record(services: Services, idno: str) -> CompanyRecord | None:
    """Return a company's record if it is fresh: from the cache, or from a warehouse that still has it."""
    cached = await services.cache.get(company_key(idno))
    if cached is not None and (record := _readable(cached)) and _fresh_for(services, record) > timedelta(0):
        return record
    stored = await current_record(services, idno)
    if stored is None or (left := _fresh_for(services, stored)) <= timedelta(seconds=1):
        return None
    if cached is None:
        # Only where there is none: a run may have written a newer one in the meantime.
        await services.cache.set(company_key(idno), stored.model_dump_json(), ex=left, nx=True)
    return stored


def _readable(cached: str | bytes) -> CompanyRecord | None:
    """Return a cached record; None for one that another version of this program wrote."""
    try:
        return CompanyRecord.model_validate_json(cached)
    except ValidationError:
        return None


def _fresh_for(services: Services, record: CompanyRecord) -> timedelta:
    return record.source.fetched_at + services.settings.fresh_for - datetime.now(UTC)
