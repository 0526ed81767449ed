"""Companies: by name, their records now and then, what changed, where it was read, their statements."""

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
from warehouse.records.record_diff import FIELDS

router = Router(prefix="/companies", tags=["companies"])

_NOT_FOUND = problems(HTTPStatus.NOT_FOUND)
_LARGEST_ID = 2**63 - 1
_FIELD = rf"^({'|'.join(FIELDS)}|statements(/[0-9]{{4}})?)$"


def _can_be_looked_for(name: str) -> str:
    if sum(letter.isalnum() for letter in fold(name)) < 2:
        raise ValueError("needs at least 2 letters or digits to look for")
    return name


@router.get("/")
@needs(Scope.COMPANIES_READ)
async def find_companies(
    services: ServicesDep,
    name: Annotated[
        str,
        AfterValidator(_can_be_looked_for),
        Query(
            min_length=2,
            max_length=100,
            description="Words of the name, or their beginnings: a company is found if all occur, in any order. Case,"
            " diacritics and the spelling of ș and ț (with comma or cedilla) do not matter",
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[CompanyFound]:
    """Companies that are held, by name: first those of just this name, then the others in the order of names."""
    return await service.find_by_name(services, name, limit=limit)


@router.get("/{idno}/", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_company(
    idno: Idno,
    services: ServicesDep,
    as_of: Annotated[
        PastMoment | None,
        Query(
            description="A day (its end in UTC; of today: now), or a time with its zone; not in the future"
        ),
    ] = None,
) -> CompanyRecord | HistoricalRecord:
    """The current record of a company and where it came from; with `as_of`, what this platform held at that time.

    As of a time is what was answered then: all that was recorded later is undone, news from the source and corrections
    of our reading alike. It is not what was true at that time: a visit may have come late. `source` is then the newest
    good capture by that time that the record came from. Before the first record: 404, with the time since when one
    is held.
    """
    if as_of is None:
        return await service.read_record(services, idno)
    return await service.past_record(services, idno, as_of)


@router.get("/{idno}/changes/", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_changes(
    idno: Idno,
    services: ServicesDep,
    cause: Annotated[
        Cause | None,
        Query(
            description="`source`: news; `parser`: no news, we read the same capture otherwise than before"
        ),
    ] = None,
    field: Annotated[
        str | None,
        Query(
            pattern=_FIELD,
            description="A field of the record, `statements/2024`, or `statements` for those of all years",
        ),
    ] = None,
    since: Annotated[
        Moment | None,
        Query(
            description="Recorded then or later: a day (from its beginning in UTC), or a time with its zone"
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before_id: Annotated[
        int | None, Query(ge=1, le=_LARGEST_ID, description="Older than the change with this id")
    ] = None,
) -> ChangePage:
    """What changed in a company's record, the newest first; what it held when it was first made is no change.

    Only the cause `source` is news of the company. The cause `parser` is none: the source says what it said before, and
    we read it otherwise, because our reading was corrected. To follow a company, ask for `cause=source`. Of a statement
    that changed, `old` and `new` hold the rows that differ, by form and row (`6/010`); one that is `null` is not there.
    `observed_at` is when the capture was made, `recorded_at` when the record changed.
    """
    return await service.read_changes(
        services, idno, cause=cause, field=field, since=since, limit=limit, before_id=before_id
    )


@router.get("/{idno}/provenance/", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_provenance(idno: Idno, services: ServicesDep) -> RecordProvenance:
    """Where each field of a company's current record was read: the capture, the reading of it, the text there.

    A field that the newest capture leaves open comes from an earlier one, so captures may differ from field to field.
    """
    return await service.read_provenance(services, idno)


@router.get("/{idno}/statements/", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def list_statements(idno: Idno, services: ServicesDep) -> CompanyStatements:
    """The key figures of all financial statements of a company that are held, the newest year first."""
    return await service.list_statements(services, idno)


@router.get("/{idno}/statements/{year}/", responses=_NOT_FOUND)
@needs(Scope.COMPANIES_READ)
async def read_statement(
    idno: Idno, year: Annotated[int, Path(ge=1900, le=2100)], services: ServicesDep
) -> FiledStatement:
    """A year's financial statement, every row of it. Where none is held: 404, with the years that are."""
    return await service.read_statement(services, idno, year)
