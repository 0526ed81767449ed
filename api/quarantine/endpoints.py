"""Captures that could not be transformed, for admins: which, and why."""

from typing import Annotated

from fastapi import Query

from api.auth.dependencies import needs
from api.auth.roles import Scope
from api.companies.service import one_state
from api.quarantine.repository import QuarantinePosition, load_page
from api.quarantine.schemas import QuarantinePage
from api.routing import Router
from api.services import ServicesDep

router = Router(prefix="/quarantine", tags=["admin"])


@router.get("/")
@needs(Scope.AUDIT_READ)
async def read_quarantine(
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    # Short enough for PostgreSQL's times and ids.
    after: Annotated[
        str | None,
        Query(pattern=r"^[0-9]{1,17}-[0-9]{1,18}$", description="`next` of the page before this one"),
    ] = None,
) -> QuarantinePage:
    """Good captures that could not be transformed, and why; the one tried last first. What they captured is not shown.

    They are tried again when a new version reads. A company's record stays as it was meanwhile.
    """
    place = QuarantinePosition.parse(after) if after is not None else None
    async with one_state(services) as connection:
        return await load_page(connection, limit=limit, after=place)
