"""Endpoints for companies: search by name, current and past records, changes, provenance, statements."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator

from api.auth.dependencies import needs
from api.auth.roles import Scope
from api.companies import service
from api.companies.moments import Moment, PastMoment
from api.companies.schemas import (
    ChangePage,
    CompanyFound,
    CompanyStatements,
    FiledStatement,
    RecordProvenance,
)
from api.routing import Router, problems
from api.services import ServicesDep
from warehouse.folding import fold
from warehouse.idno import Idno
from warehouse.records.history import HistoricalRecord
from warehouse.records.models import Cause, CompanyRecord
from warehouse.records.record_diff import COMPARED_FIELDS

router = Router(prefix="/companies", tags=["companies"])

_NOT_FOUND = problems(HTTPStatus.NOT_FOUND)
_LARGEST_ID = 2**63 - 1
_FIELD = rf"^({'|'.join(COMPARED_FIELDS)}|statements(/[0-9]{{4}})?)$"


def _require_searchable(name: str) -> str:
    if sum(letter.isalnum() for letter in fold(name)) < 2:
        raise ValueError("must contain at least 2 letters or digits")
    return name


@router.get("/", summary="Find companies by name")
@needs(Scope.COMPANIES_READ)
async def find_companies(
    services: ServicesDep,
    name: Annotated[
        str,
        AfterValidator(_require_searchable),
        Query(
            min_length=2,
            max_length=100,
            description="Words of the name, or beginnings of words. A company matches if its name contains all of them,"
            " in any order. Case, diacritics and the spelling of ș and ț (with comma or cedilla) do not matter",
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[CompanyFound]:
    """Find companies by name; only those that have a record are found.

    Exact matches come first, the others are sorted by name.
    """
    return await service.find_by_name(services.warehouse, name, limit=limit)


@router.get("/{idno}/", summary="Read a company", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_company(
    idno: Idno,
    services: ServicesDep,
    as_of: Annotated[
        PastMoment | None,
        Query(
            description="A date (meaning the end of that day in UTC, but now for today) or a time with a time zone;"
            " not in the future"
        ),
    ] = None,
) -> CompanyRecord | HistoricalRecord:
    """Return the current record of a company with its source; with `as_of`, the record as it was stored at that time.

    A past record is what this endpoint returned at that time: all later changes are undone, both changes at the source
    and corrections of the parser. It may differ from the facts at that time, because the platform may have visited the
    source later. `source` is the newest capture behind the record at that time. For a time before the
    first record, the answer is 404 and names the time of the first record.
    """
    if as_of is None:
        return await service.read_record(services.warehouse, idno)
    return await service.read_past_record(services.warehouse, idno, as_of)


@router.get("/{idno}/changes/", summary="List a company's changes", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_changes(
    idno: Idno,
    services: ServicesDep,
    cause: Annotated[
        Cause | None,
        Query(
            description="`source`: the source changed; `parser`: only the reading of the same capture changed"
        ),
    ] = None,
    field: Annotated[
        str | None,
        Query(
            pattern=_FIELD,
            description="A field of the record, `statements/2024`, or `statements` for the statements of all years",
        ),
    ] = None,
    since: Annotated[
        Moment | None,
        Query(
            description="Only changes recorded at this time or later: a date (meaning the start of that day in UTC)"
            " or a time with a time zone"
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before_id: Annotated[
        int | None, Query(ge=1, le=_LARGEST_ID, description="Only changes older than the one with this id")
    ] = None,
) -> ChangePage:
    """Return the changes of a company's record, newest first. The values of its first record are not changes.

    The cause `source` means that the source published something else. The cause `parser` means that the source is
    unchanged and the platform reads it differently, after a correction of the parser. To follow a company, use
    `cause=source`. For a changed statement, `old` and `new` contain the rows that differ, by form and row (`6/010`);
    `null` means that there is no such row. `observed_at` is the time of the capture, `recorded_at` the time when the
    record changed.
    """
    return await service.read_changes(
        services.warehouse,
        idno,
        cause=cause,
        field=field,
        since=since,
        limit=limit,
        before_id=before_id,
    )


@router.get("/{idno}/provenance/", summary="Read a company's provenance", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_provenance(idno: Idno, services: ServicesDep) -> RecordProvenance:
    """Return for each field of a company's current record the capture, the reading and the text that it comes from.

    A field that is missing in the newest capture comes from an earlier one, so fields may have different captures.
    `unread` lists the texts that stand in the place of a value but were not understood, each with the reason.
    """
    return await service.read_provenance(services.warehouse, idno)


@router.get("/{idno}/statements/", summary="List a company's statements", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def list_statements(idno: Idno, services: ServicesDep) -> CompanyStatements:
    """Return the key figures of all stored financial statements of a company, newest year first."""
    return await service.list_statements(services.warehouse, idno)


@router.get("/{idno}/statements/{year}/", summary="Read a financial statement", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_statement(
    idno: Idno, year: Annotated[int, Path(ge=1900, le=2100)], services: ServicesDep
) -> FiledStatement:
    """Return a year's financial statement with all its rows. If there is none, the 404 names the available years."""
    return await service.read_statement(services.warehouse, idno, year)
