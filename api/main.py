"""The application: `uvicorn --factory api.main:create_app`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI

from api import errors
from api.auth.endpoints import router as auth
from api.companies.endpoints import router as companies
from api.health.endpoints import router as health
from api.limits import BodyLimit
from api.scrape.endpoints import router as scrape
from api.scrape.reconciler import reconcile_forever
from api.services import open_services
from api.settings import ApiSettings


def create_app(settings: ApiSettings | None = None) -> FastAPI:
    """Build the application; without settings, from the environment."""
    settings = settings or ApiSettings()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings) as services:
            app.state.services = services
            reconciler = asyncio.create_task(reconcile_forever(services))
            try:
                yield
            finally:
                reconciler.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await reconciler

    app = FastAPI(
        title="Registru",
        version=version("registru"),
        description="Moldova's company data, with proof.",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    errors.install(app)
    app.add_middleware(BodyLimit, most_bytes=settings.most_body_bytes)
    for router in (health, auth, scrape, companies):
        app.include_router(router)
    return app
