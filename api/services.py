"""Connections that the endpoints share: opened when the API starts, closed when it stops."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only
from starlette.requests import HTTPConnection

from api.auth.tokens import AccessTokens
from api.dagster.dagster_client import DagsterClient
from api.metrics.pools import measure_pool
from api.runtime.rate_limits import GuessLimits
from api.runtime.redis_gate import RedisGate
from api.runtime.wakeups import WakeupBus
from api.settings import ApiSettings
from warehouse.config.credentials import redis_credentials, use_current_login
from warehouse.config.redis_options import backoff, redis_options
from warehouse.config.reloadable import ReloadableSettings

_REDIS_RETRIES = 3
_REDIS_RETRIED = (RedisConnectionError,)
"""A failed connection is retried, because Redis may be restarting. After a timeout, a retry would take too long."""
_REDIS_CONNECTIONS = 16
"""Size of the pool for each of the two Redis databases. `WakeupBus` holds one connection permanently, for its
subscription. If all are in use, a request waits for a free one; with redis-py's plain pool it would fail. `RedisGate`
has connections of its own: one, or two if the cache is on another server. That makes at most 34 connections per worker;
Valkey accepts 10,000."""
_REDIS_WAIT_SECONDS = 5
_SQL_CONNECTIONS = 10
"""Size of the pool for each of the two databases: 20 connections per worker. PostgreSQL (`stack.postgres`) accepts 200,
and Dagster and the runs need some of them, so there is room for four workers or more. No connection is held while a
request waits for a run."""
_SQL_SECONDS = 10
"""Timeout of one statement. If PostgreSQL hangs, a request fails after this time plus 5 s for a new connection."""


@dataclass(frozen=True)
class Services:
    """The settings and the shared clients of PostgreSQL, Redis and Dagster.

    `users` is the API's own database, `warehouse` is read-only. `state` and `cache` are the two Redis databases.
    """

    settings: ApiSettings
    users: AsyncEngine
    warehouse: AsyncEngine
    state: Redis
    cache: Redis
    redis_gate: RedisGate
    guess_limits: GuessLimits
    tokens: AccessTokens
    dagster: DagsterClient
    wakeups: WakeupBus


@asynccontextmanager
async def open_services(
    settings: ApiSettings, current: ReloadableSettings[ApiSettings] | None = None
) -> AsyncIterator[Services]:
    """Yield the services. Each connection is opened at its first use, with the credentials that are valid then."""
    current = current or ReloadableSettings(settings)
    options = redis_options(Retry(backoff(), _REDIS_RETRIES, _REDIS_RETRIED), errors=_REDIS_RETRIED)
    state_url, state_login = redis_credentials(current, lambda now: now.redis_state_url)
    cache_url, cache_login = redis_credentials(current, lambda now: now.redis_cache_url)
    state = _redis(state_url, {**options, **state_login})
    cache = _redis(cache_url, {**options, **cache_login, "decode_responses": False})
    redis_gate = RedisGate(
        options, state_url=state_url, cache_url=cache_url, state_login=state_login, cache_login=cache_login
    )
    users = _engine(current, lambda now: now.users_url, "users")
    warehouse = _engine(current, lambda now: now.warehouse_url, "warehouse")
    async with DagsterClient(
        settings.dagster_url,
        key=lambda: current.settings.dagster_key.get_secret_value(),
        run_limit_seconds=settings.run_limit_seconds,
    ) as dagster:
        try:
            yield Services(
                settings=settings,
                users=users,
                warehouse=warehouse,
                state=state,
                cache=cache,
                redis_gate=redis_gate,
                guess_limits=GuessLimits(state),
                tokens=AccessTokens(current),
                dagster=dagster,
                wakeups=WakeupBus(state),
            )
        finally:
            await redis_gate.aclose()
            await state.aclose()
            await cache.aclose()
            await users.dispose()
            await warehouse.dispose()


def _redis(url: str, options: dict[str, Any]) -> Redis:
    pool = BlockingConnectionPool.from_url(
        url, **options, max_connections=_REDIS_CONNECTIONS, timeout=_REDIS_WAIT_SECONDS
    )
    return Redis.from_pool(pool)


def _engine(
    current: ReloadableSettings[ApiSettings], url_of: Callable[[ApiSettings], str], database: str
) -> AsyncEngine:
    engine = create_async_engine(
        make_url(url_of(current.settings)).set(drivername="postgresql+asyncpg"),
        pool_pre_ping=True,
        hide_parameters=True,  # a logged error must not show password hashes
        pool_size=_SQL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=10,
        connect_args={"timeout": 5, "command_timeout": _SQL_SECONDS},
    )
    use_current_login(
        engine.sync_engine, current, url_of, run=lambda work: await_only(asyncio.to_thread(work))
    )
    measure_pool(engine, database, size=_SQL_CONNECTIONS)
    return engine


def services_of(connection: HTTPConnection) -> Services:
    """Return the application's services."""
    services = connection.app.state.services
    assert isinstance(services, Services)
    return services


async def _services(connection: HTTPConnection) -> Services:
    return services_of(connection)  # async, because FastAPI would call a plain function in a thread


ServicesDep = Annotated[Services, Depends(_services)]
