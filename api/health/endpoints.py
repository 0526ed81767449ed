"""What this is, and whether its parts answer."""

import asyncio
import json
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Literal

from fastapi import Response
from pydantic import BaseModel
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.auth.dependencies import UNCOUNTED, needs
from api.dagster.client import DagsterUnavailable
from api.routing import Router
from api.services import Services, ServicesDep
from warehouse.contract import PAUSES_KEY

router = Router(tags=["health"])


class About(BaseModel):
    """What answers here."""

    name: str
    version: str
    docs: str
    health: str


class Pause(BaseModel):
    """A site that is left alone for a while, and why."""

    host: str
    until: datetime
    reason: str


class Health(BaseModel):
    """`ok` if every part answers, else `degraded`; the parts by name: `ok`, or what is wrong.

    A site that is paused is no trouble of ours.
    """

    status: Literal["ok", "degraded"]
    parts: dict[str, str]
    pauses: list[Pause]


@router.get("/")
@needs(UNCOUNTED)
async def about() -> About:
    """What this is."""
    return About(name="Registru", version=version("registru"), docs="/docs", health="/health/")


@router.get("/health/", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Health}})
@needs(UNCOUNTED)
async def health(services: ServicesDep, response: Response) -> Health:
    """Whether each part answers; 503 if one does not."""
    names = ("users", "warehouse", "redis", "dagster")
    *results, pauses = await asyncio.gather(
        _database(services.users),
        _database(services.warehouse),
        _redis(services),
        _dagster(services),
        _pauses(services),
    )
    parts = dict(zip(names, results, strict=True))
    if all(result == "ok" for result in results):
        return Health(status="ok", parts=parts, pauses=pauses)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Health(status="degraded", parts=parts, pauses=pauses)


async def _database(engine: AsyncEngine) -> str:
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return "does not answer"
    return "ok"


async def _redis(services: Services) -> str:
    try:
        await asyncio.gather(services.state.ping(), services.cache.ping())
    except RedisError:
        return "does not answer"
    return "ok"


async def _dagster(services: Services) -> str:
    try:
        await services.dagster.check()
    except DagsterUnavailable as error:
        return str(error)
    return "ok"


async def _pauses(services: Services) -> list[Pause]:
    try:
        pauses = await services.state.hgetall(PAUSES_KEY)
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
