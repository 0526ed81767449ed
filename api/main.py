"""The application: `uvicorn --factory api.main:create_app`."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api import errors
from api.admin.endpoints import router as admin
from api.auth.endpoints import router as auth
from api.auth.verify import router as verify
from api.batches.endpoints import router as batches
from api.companies.endpoints import router as companies
from api.headers import Headers
from api.health.endpoints import router as health
from api.keys.endpoints import router as keys
from api.limits import BodyLimit
from api.metrics.endpoints import router as metrics
from api.metrics.platform import Measured
from api.metrics.zeros import begin_at_nought
from api.observed import Observed
from api.pages import endpoints as pages
from api.quarantine.endpoints import router as quarantine
from api.routing import document
from api.scrape.endpoints import router as scrape
from api.scrape.reconciler import reconcile_forever
from api.services import open_services
from api.settings import ApiSettings
from api.stopping import on_stop_signal, stop_with_parent
from telemetry import logs, request_ids, traces
from telemetry.settings import TelemetrySettings


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Build the application; without settings, from the environment."""
    telemetry = TelemetrySettings()
    if settings is None:
        settings = ApiSettings()
        logs.set_up(telemetry.log_format, service="api")
        traces.set_up(telemetry.otlp_endpoint, service="api")

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings) as services:
            app.state.services = services
            reconciler = asyncio.create_task(reconcile_forever(services))
            try:
                async with services.changes.listening():
                    gc.collect()
                    gc.freeze()  # what is loaded by now stays: collecting need not look through it each time
                    with on_stop_signal(services.changes.close), stop_with_parent():
                        yield
            finally:
                reconciler.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reconciler
                await asyncio.to_thread(traces.close)

    app = FastAPI(
        title="Registru",
        version=version("registru"),
        description="Moldova's company data, with proof.",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    begin_at_nought()
    app.state.measured = Measured()
    errors.install(app)
    pages.install(app, otherwise=errors.on_http_exception)
    app.add_middleware(BodyLimit, most_bytes=settings.most_body_bytes)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=[
                "Authorization",
                "X-API-Key",
                "Content-Type",
                "Idempotency-Key",
                request_ids.HEADER,
            ],
            expose_headers=[request_ids.HEADER],
        )
    app.add_middleware(Headers)
    app.add_middleware(Observed, logs_all=telemetry.access_log)
    # Routes are tried one by one: first what is asked for most.
    for router in (
        scrape,
        health,
        auth,
        verify,
        keys,
        admin,
        batches,
        companies,
        quarantine,
        metrics,
        pages.router,
    ):
        app.include_router(router)
    document(app)
    return app
