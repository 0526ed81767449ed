"""What this is, and whether its parts answer."""

import asyncio
from http import HTTPStatus
from importlib.metadata import version
from typing import Literal

from fastapi import Response
from pydantic import BaseModel

from api.auth.dependencies import UNLIMITED, needs
from api.dagster.dagster_client import DagsterUnavailable
from api.health.parts import OK, SILENT, Pause, check_database, check_parts, check_redis, read_pauses
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
    """`ok` if every part answers, else `degraded`; the parts by name: `ok`, or what is wrong.

    A site that is paused is no trouble of ours.
    """

    status: Literal["ok", "degraded"]
    parts: dict[str, str]
    pauses: list[Pause]


class Live(BaseModel):
    """This process answers."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """`ready` if a request could be served and a run would run, else `not ready`; the parts by name."""

    status: Literal["ready", "not ready"]
    parts: dict[str, str]


@router.get("/")
@needs(UNLIMITED)
async def about() -> About:
    """What this is."""
    return About(name="Registru", version=version("registru"), docs="/docs", health="/health/")


@router.get("/health/", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Health}})
@needs(UNLIMITED)
async def health(services: ServicesDep, response: Response) -> Health:
    """Whether each part answers; 503 if one does not."""
    names = ("users", "warehouse", "redis", "dagster")
    *results, pauses = await asyncio.gather(
        check_database(services.users),
        check_database(services.warehouse),
        _redis(services),
        _dagster(services),
        read_pauses(services),
    )
    parts = dict(zip(names, results, strict=True))
    if all(result == OK for result in results):
        return Health(status="ok", parts=parts, pauses=pauses)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Health(status="degraded", parts=parts, pauses=pauses)


@router.get("/health/live")
@needs(UNLIMITED)
async def live() -> Live:
    """Whether this process answers; nothing else is asked."""
    return Live(status="ok")


@router.get("/health/ready", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness}})
@needs(UNLIMITED)
async def ready(services: ServicesDep, response: Response) -> Readiness:
    """Whether each part answers, within three seconds; 503 if one does not."""
    parts = await check_parts(services)
    if all(state == OK for state in parts.values()):
        return Readiness(status="ready", parts=parts)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(status="not ready", parts=parts)


async def _redis(services: Services) -> str:
    states = await asyncio.gather(check_redis(services.state), check_redis(services.cache))
    return OK if set(states) == {OK} else SILENT


async def _dagster(services: Services) -> str:
    try:
        await services.dagster.check()
    except DagsterUnavailable as error:
        return str(error)
    return OK
