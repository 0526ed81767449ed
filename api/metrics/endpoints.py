"""`/metrics`, for Prometheus on the internal network.

Clients outside cannot read it: the gateway does not forward it, and the API refuses requests that came through a proxy.
"""

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

_PROXY_HEADERS = ("x-forwarded-for", "forwarded")


class _CollectedFamilies:
    """A Prometheus collector that returns families which were collected before."""

    def __init__(self, families: list[object]) -> None:
        self._families = families

    def collect(self) -> list[object]:
        return self._families


@router.get("/metrics")
@needs(UNLIMITED)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Return all metrics in Prometheus' text format.

    Metrics of a part that does not answer are omitted. `registru_part_up` shows which part that is.
    """
    if any(name in request.headers for name in _PROXY_HEADERS):
        raise NotFound("Not Found")
    platform_metrics = request.app.state.platform_metrics
    assert isinstance(platform_metrics, PlatformMetrics)
    registry = process_metrics().all_workers()
    families = await platform_metrics.families(services)
    registry.register(_CollectedFamilies([*families]))  # type: ignore[arg-type] # duck-typed collector
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
