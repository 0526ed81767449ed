"""Endpoint with which admins read the quarantine."""

from typing import Annotated

from fastapi import Query

from api.auth.dependencies import needs
from api.auth.roles import Scope
from api.companies.service import consistent_read
from api.quarantine.repository import QuarantinePosition, load_page
from api.quarantine.schemas import QuarantinePage
from api.routing import Router
from api.services import ServicesDep

router = Router(prefix="/quarantine", tags=["admin"])


@router.get("/", summary="List quarantined captures")
@needs(Scope.AUDIT_READ)
async def read_quarantine(
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    # The pattern limits both numbers to the ranges of PostgreSQL's timestamps and ids.
    after: Annotated[
        str | None,
        Query(pattern=r"^[0-9]{1,17}-[0-9]{1,18}$", description="`next` of the previous page"),
    ] = None,
) -> QuarantinePage:
    """Return good captures that could not be transformed, each with the reason; the last one tried comes first.

    The captured content is not included. The next transform version tries to transform these captures again; until then
    the record of the company stays unchanged.
    """
    position = QuarantinePosition.parse(after) if after is not None else None
    async with consistent_read(services.warehouse) as connection:
        return await load_page(connection, limit=limit, after=position)
