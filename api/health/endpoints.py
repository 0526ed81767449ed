"""What this is, and whether its parts answer."""

import asyncio
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

router = Router(tags=["health"])


class About(BaseModel):
    """What answers here."""

    name: str
    version: str
    docs: str
    health: str


class Health(BaseModel):
    """`ok` if every part answers, else `degraded`; the parts by name: `ok`, or what is wrong."""

    status: Literal["ok", "degraded"]
    parts: dict[str, str]


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
    results = await asyncio.gather(
        _database(services.users), _database(services.warehouse), _redis(services), _dagster(services)
    )
    parts = dict(zip(names, results, strict=True))
    if all(result == "ok" for result in results):
        return Health(status="ok", parts=parts)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Health(status="degraded", parts=parts)


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
