"""Ask for a company; see where a run stands."""

from http import HTTPStatus

from fastapi import Response

from api.auth.dependencies import CallerDep, needs
from api.auth.roles import Scope
from api.companies.service import fresh_record
from api.routing import Router, problems
from api.scrape import service
from api.scrape.schemas import ScrapeAnswer, ScrapeRequest, ScrapeStatus
from api.services import ServicesDep

router = Router(prefix="/scrape", tags=["scrape"])


@router.post("/", responses={HTTPStatus.ACCEPTED: {"model": ScrapeAnswer, "description": "A run fetches it"}})
@needs(Scope.SCRAPE)
async def scrape(
    request: ScrapeRequest, caller: CallerDep, services: ServicesDep, response: Response
) -> ScrapeAnswer:
    """The company's record if a fresh one is held (200), else a run that fetches it (202)."""
    if not request.force_refresh and (record := await fresh_record(services, request.idno)):
        return ScrapeAnswer(success=True, message="a fresh record is held", data=record, cached=True)
    run_id = await service.start_or_join(services, caller, request.idno, force_refresh=request.force_refresh)
    status_url = f"/scrape/{run_id}/"
    response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = status_url
    return ScrapeAnswer(
        success=True,
        message="the company is being fetched; see status_url",
        data=None,
        cached=False,
        run_id=run_id,
        status_url=status_url,
    )


@router.get("/{run_id}/", responses=problems(HTTPStatus.NOT_FOUND))
@needs(Scope.SCRAPE)
async def read_scrape(run_id: str, caller: CallerDep, services: ServicesDep) -> ScrapeStatus:
    """Where a run that you asked for stands (an admin: any), and the record once it has succeeded."""
    return await service.read_status(services, caller, run_id)
