"""The application: `uvicorn --factory api.main:create_app`."""

import asyncio
import contextlib
import gc
import multiprocessing
import os
from collections.abc import AsyncIterator
from functools import partial
from importlib.metadata import version
from typing import TypeVar

from fastapi import FastAPI
from pydantic_settings import BaseSettings
from starlette.middleware.cors import CORSMiddleware
from uvicorn.config import STARTUP_FAILURE

from api import problems
from api.account_retention import remove_expired_forever
from api.admin.endpoints import router as admin
from api.auth.endpoints import router as auth
from api.auth.verify import router as verify
from api.batches.endpoints import router as batches
from api.companies.endpoints import router as companies
from api.health.endpoints import router as health
from api.keys.endpoints import router as keys
from api.metrics.endpoints import router as metrics
from api.metrics.platform_metrics import PlatformMetrics
from api.metrics.zeros import initialize_counters
from api.pages import endpoints as pages
from api.pages import reference
from api.quarantine.endpoints import router as quarantine
from api.routing import document
from api.runtime.body_limit import BodyLimit
from api.runtime.request_telemetry import RequestTelemetry
from api.runtime.response_headers import ResponseHeaders
from api.runtime.schema_check import check_schemas
from api.runtime.settings_reload import periodic_reload
from api.runtime.shutdown import on_stop_signal, stop_with_parent
from api.scrape.endpoints import router as scrape
from api.scrape.reconciler import reconcile_forever
from api.services import open_services
from api.settings import ApiSettings
from telemetry import logs, request_ids, traces
from telemetry.settings import TelemetrySettings
from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load, refuse_to_start

_Settings = TypeVar("_Settings", bound=BaseSettings)


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Create the application. If `settings` is None, load them from their sources and reload them periodically."""
    telemetry = _load(TelemetrySettings)
    if settings is None:
        current = ReloadableSettings(_load(ApiSettings), partial(load, ApiSettings))
        logs.set_up(telemetry.log_format, service="api")
        traces.set_up(telemetry.otlp_endpoint, service="api")
    else:
        current = ReloadableSettings(settings)
    settings = current.settings

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, current) as services:
            await check_schemas(users=services.users, warehouse=services.warehouse)
            app.state.services = services
            tasks = [
                asyncio.create_task(reconcile_forever(services)),
                asyncio.create_task(remove_expired_forever(services.users, services.settings)),
            ]
            try:
                async with services.wakeups.listening(), periodic_reload(current):
                    gc.collect()
                    gc.freeze()  # the garbage collector need not examine the loaded code again
                    with on_stop_signal(services.wakeups.close), stop_with_parent():
                        yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await asyncio.to_thread(traces.close)

    app = FastAPI(
        title="Registru",
        version=version("registru"),
        description="Moldova's company data, with proof.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    initialize_counters()
    app.state.platform_metrics = PlatformMetrics()
    problems.install(app)
    pages.install(app, otherwise=problems.on_http_exception)
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
    app.add_middleware(ResponseHeaders)
    app.add_middleware(RequestTelemetry, logs_all=telemetry.access_log)
    # Routes are matched in this order: the most frequent ones come first.
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
    reference.install(app)
    document(app)
    return app


def _load(settings_type: type[_Settings]) -> _Settings:
    try:
        return load(settings_type)
    except SettingsRefused as reason:
        try:
            refuse_to_start(reason, STARTUP_FAILURE)
        finally:
            if multiprocessing.parent_process() is not None:
                # If uvicorn checks the health of a worker that is just ending, it waits for the whole timeout (60 s)
                # before it notices the end. A normal exit takes long enough for that to happen nearly every time.
                os._exit(STARTUP_FAILURE)
