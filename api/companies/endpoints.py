"""A company's current record."""

from http import HTTPStatus

from api.auth.dependencies import needs
from api.auth.roles import Scope
from api.companies import service
from api.errors import NotFound
from api.routing import Router, problems
from api.services import ServicesDep
from warehouse.idno import Idno
from warehouse.records import CompanyRecord

router = Router(prefix="/companies", tags=["companies"])


@router.get("/{idno}/", responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.COMPANIES_READ)
async def read_company(idno: Idno, services: ServicesDep) -> CompanyRecord:
    """The current record of a company, and where it came from."""
    record = await service.current_record(services, idno)
    if record is None:
        raise NotFound(f"no record of the company {idno} is held; ask for it with POST /scrape/")
    return record
