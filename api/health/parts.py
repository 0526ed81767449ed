"""Whether each part of the platform answers, within a time, by its name."""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.dagster.dagster_client import DagsterUnavailable
from api.services import Services
from warehouse.contract import PAUSES_KEY

OK, SILENT = "ok", "does not answer"
DAGSTER_PARTS = ("dagster", "daemon", "code_location")
PARTS = ("users", "warehouse", "redis_state", "redis_cache", *DAGSTER_PARTS)
LONGEST_SECONDS = 3.0


class Pause(BaseModel):
    """A site that is left alone for a while, and why."""

    host: str
    until: datetime
    reason: str


async def check_parts(services: Services, *, seconds: float = LONGEST_SECONDS) -> dict[str, str]:
    """Return `ok`, or what is wrong, of each of PARTS; one that hangs is given up after so many seconds."""
    checks: dict[str, Awaitable[Mapping[str, str]]] = {
        "users": _named("users", check_database(services.users)),
        "warehouse": _named("warehouse", check_database(services.warehouse)),
        "redis_state": _named("redis_state", check_redis(services.state)),
        "redis_cache": _named("redis_cache", check_redis(services.cache)),
        "dagster": _dagster(services),
    }
    tasks = {name: asyncio.ensure_future(check) for name, check in checks.items()}
    # Not `timeout`: what hangs may hang in its own end, too, and is not waited for.
    _, late = await asyncio.wait(tasks.values(), timeout=seconds)
    parts: dict[str, str] = {}
    for name, task in tasks.items():
        if task in late:
            task.cancel()
            names = DAGSTER_PARTS if name == "dagster" else (name,)
            parts |= dict.fromkeys(names, f"{SILENT} within {seconds:g} s")
        else:
            parts |= task.result()
    return parts


async def _named(name: str, check: Awaitable[str]) -> dict[str, str]:
    return {name: await check}


async def check_database(engine: AsyncEngine) -> str:
    """Tell whether a database answers."""
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, RuntimeError):  # the last one is uvloop's word for a closed connection
        return SILENT
    return OK


async def check_redis(redis: Redis) -> str:
    """Tell whether Redis answers."""
    try:
        await redis.ping()
    except (RedisError, OSError, RuntimeError):
        return SILENT
    return OK


async def _dagster(services: Services) -> dict[str, str]:
    try:
        return await services.dagster.parts()
    except DagsterUnavailable as error:
        return {
            "dagster": str(error),
            **dict.fromkeys(DAGSTER_PARTS[1:], "not known: Dagster does not answer"),
        }


async def read_pauses(services: Services) -> list[Pause]:
    """Return the sites that are left alone at this moment; none if Redis does not answer."""
    try:
        pauses: Mapping[Any, Any] = await services.state.hgetall(PAUSES_KEY)
    except RedisError:
        return []
    now = datetime.now(UTC)
    found = [_pause(str(host), str(text)) for host, text in sorted(pauses.items())]
    return [pause for pause in found if pause and pause.until > now]


def _pause(host: str, text: str) -> Pause | None:
    """Read a pause; None for what another version of the pipeline wrote."""
    try:
        return Pause.model_validate({"host": host, **json.loads(text)})
    except (ValueError, TypeError):
        return None
