"""Checks whether each part of the platform answers in time, and reads the paused sites."""

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

from api.dagster.dagster_client import DagsterClient, DagsterUnavailable
from api.services import Services
from warehouse.contract import PAUSES_KEY

OK, SILENT = "ok", "does not answer"
DAGSTER_PARTS = ("dagster", "daemon", "code_location")
PARTS = ("users", "warehouse", "redis_state", "redis_cache", *DAGSTER_PARTS)
LONGEST_SECONDS = 3.0


class Pause(BaseModel):
    """A paused site: until when it gets no requests, and why."""

    host: str
    until: datetime
    reason: str


async def check_parts(services: Services, *, seconds: float = LONGEST_SECONDS) -> dict[str, str]:
    """Return, for each of PARTS, `ok` or what is wrong. Each part must answer within `seconds`."""
    checks: dict[str, Awaitable[Mapping[str, str]]] = {
        "users": _named("users", check_database(services.users)),
        "warehouse": _named("warehouse", check_database(services.warehouse)),
        "redis_state": _named("redis_state", check_redis(services.state)),
        "redis_cache": _named("redis_cache", check_redis(services.cache)),
        "dagster": _check_dagster(services.dagster),
    }
    tasks = {name: asyncio.ensure_future(check) for name, check in checks.items()}
    # Not `asyncio.timeout`: a check that hangs may also hang when it is cancelled, and must not be awaited.
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
    """Return `ok` if a database answers, else what is wrong."""
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, RuntimeError):  # uvloop raises RuntimeError for a closed connection
        return SILENT
    return OK


async def check_redis(redis: Redis) -> str:
    """Return `ok` if Redis answers, else what is wrong."""
    try:
        await redis.ping()
    except (RedisError, OSError, RuntimeError):
        return SILENT
    return OK


async def _check_dagster(dagster: DagsterClient) -> dict[str, str]:
    try:
        return await dagster.parts()
    except DagsterUnavailable as error:
        return {
            "dagster": str(error),
            **dict.fromkeys(DAGSTER_PARTS[1:], "unknown: Dagster does not answer"),
        }


async def read_pauses(state: Redis) -> list[Pause]:
    """Return the sites that are paused now; none if Redis does not answer."""
    try:
        pauses: Mapping[Any, Any] = await state.hgetall(PAUSES_KEY)
    except RedisError:
        return []
    now = datetime.now(UTC)
    parsed = [_parse_pause(str(host), str(content)) for host, content in sorted(pauses.items())]
    return [pause for pause in parsed if pause and pause.until > now]


def _parse_pause(host: str, content: str) -> Pause | None:
    """Return a pause; None if its format is unknown, because another version of the pipeline wrote it."""
    try:
        return Pause.model_validate({"host": host, **json.loads(content)})
    except (ValueError, TypeError):
        return None
