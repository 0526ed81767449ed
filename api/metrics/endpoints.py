"""`/metrics`, for Prometheus inside. Nobody outside gets it: neither the gateway nor we answer what came by a proxy."""

from fastapi import Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request

from api.auth.dependencies import UNLIMITED, needs
from api.metrics.platform_metrics import PlatformMetrics
from api.metrics.process_metrics import process_metrics
from api.problems import NotFound
from api.routing import Router
from api.services import ServicesDep

router = Router(include_in_schema=False)

_OF_PROXIES = ("x-forwarded-for", "forwarded")


class _Read:
    """A collector of what has been collected."""

    def __init__(self, families: list[object]) -> None:
        self._families = families

    def collect(self) -> list[object]:
        return self._families


@router.get("/metrics")
@needs(UNLIMITED)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Everything that is measured, in Prometheus' text format; parts that do not answer are left out, and named."""
    if any(name in request.headers for name in _OF_PROXIES):
        raise NotFound("Not Found")
    measured = request.app.state.measured
    assert isinstance(measured, PlatformMetrics)
    shown = process_metrics().all_workers()
    shown.register(_Read([*await measured.families(services)]))  # type: ignore[arg-type] # see own.py
    return Response(generate_latest(shown), media_type=CONTENT_TYPE_PLAIN_0_0_4)
