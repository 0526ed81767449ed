"""What the endpoints work with: connections, opened when the API starts and closed when it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.requests import HTTPConnection

from api.changes import Changes
from api.dagster.client import DagsterClient
from api.rate_limits import RateLimits
from api.settings import ApiSettings
from warehouse.redis_options import backoff, redis_options

_REDIS_RETRIES = 3


@dataclass(frozen=True)
class Services:
    """The API's own database, the warehouse (to read), Redis (state, cache, and limits counted in it), Dagster."""

    settings: ApiSettings
    users: AsyncEngine
    warehouse: AsyncEngine
    state: Redis
    cache: Redis
    limits: RateLimits
    dagster: DagsterClient
    changes: Changes


@asynccontextmanager
async def open_services(settings: ApiSettings) -> AsyncIterator[Services]:
    """Open everything; nothing connects before it is used."""
    options = redis_options(Retry(backoff(), _REDIS_RETRIES))
    state = Redis.from_url(settings.redis_state_url, **options)
    cache = Redis.from_url(settings.redis_cache_url, **options)
    users, warehouse = _engine(settings.users_url), _engine(settings.warehouse_url)
    async with DagsterClient(
        settings.dagster_url,
        key=settings.dagster_key.get_secret_value(),
        run_limit_seconds=settings.run_limit_seconds,
    ) as dagster:
        try:
            yield Services(
                settings, users, warehouse, state, cache, RateLimits(state), dagster, Changes(state)
            )
        finally:
            await state.aclose()
            await cache.aclose()
            await users.dispose()
            await warehouse.dispose()


def _engine(url: str) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_pre_ping=True,
        hide_parameters=True,  # an error in the log must not show a password's hash
        pool_size=10,
        max_overflow=0,
        pool_timeout=10,
        connect_args={"timeout": 5, "command_timeout": 30},
    )


def _services(connection: HTTPConnection) -> Services:
    services = connection.app.state.services
    assert isinstance(services, Services)
    return services


ServicesDep = Annotated[Services, Depends(_services)]
