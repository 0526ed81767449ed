"""Endpoints that tell what this service is and whether its parts answer."""

import asyncio
from http import HTTPStatus
from importlib.metadata import version
from typing import Literal

from fastapi import Response
from pydantic import BaseModel
from redis.asyncio import Redis

from api.auth.dependencies import UNLIMITED, needs
from api.dagster.dagster_client import DagsterClient, DagsterUnavailable
from api.health.parts import OK, SILENT, Pause, check_database, check_parts, check_redis, read_pauses
from api.routing import Router
from api.services import ServicesDep

router = Router(tags=["health"])


class About(BaseModel):
    """This service: its name, its version, and the paths of its documentation and health check."""

    name: str
    version: str
    docs: str
    health: str


class Health(BaseModel):
    """`status` is `ok` if every part answers, otherwise `degraded`. `parts` contains `ok` or the fault of each part.

    `pauses` lists the sites that get no requests at the moment. A pause does not make the platform degraded.
    """

    status: Literal["ok", "degraded"]
    parts: dict[str, str]
    pauses: list[Pause]


class Live(BaseModel):
    """The status of this process, which is always `ok`."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """`status` is `ready` if requests can be served and runs can start. `parts` contains `ok` or each part's fault."""

    status: Literal["ready", "not ready"]
    parts: dict[str, str]


@router.get("/", summary="Describe this service")
@needs(UNLIMITED)
async def about() -> About:
    """Return the name and version of this service, and where its documentation is."""
    return About(name="Registru", version=version("registru"), docs="/docs", health="/health/")


@router.get("/health/", summary="Check health", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Health}})
@needs(UNLIMITED)
async def health(services: ServicesDep, response: Response) -> Health:
    """Check whether each part answers, and list the paused sites. The answer is 503 if a part does not answer."""
    names = ("users", "warehouse", "redis", "dagster")
    *results, pauses = await asyncio.gather(
        check_database(services.users),
        check_database(services.warehouse),
        _check_both_redis(services.state, services.cache),
        _check_dagster(services.dagster),
        read_pauses(services.state),
    )
    parts = dict(zip(names, results, strict=True))
    if all(result == OK for result in results):
        return Health(status="ok", parts=parts, pauses=pauses)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Health(status="degraded", parts=parts, pauses=pauses)


@router.get("/health/live", summary="Check liveness")
@needs(UNLIMITED)
async def live() -> Live:
    """Return `ok`, which shows that this process answers. No other part is checked."""
    return Live(status="ok")


@router.get(
    "/health/ready",
    summary="Check readiness",
    responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness}},
)
@needs(UNLIMITED)
async def ready(services: ServicesDep, response: Response) -> Readiness:
    """Check each part of the platform. The answer is 503 if a part does not answer within three seconds."""
    parts = await check_parts(services)
    if all(state == OK for state in parts.values()):
        return Readiness(status="ready", parts=parts)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(status="not ready", parts=parts)


async def _check_both_redis(state: Redis, cache: Redis) -> str:
    results = await asyncio.gather(check_redis(state), check_redis(cache))
    return OK if set(results) == {OK} else SILENT


async def _check_dagster(dagster: DagsterClient) -> str:
    try:
        await dagster.check()
    except DagsterUnavailable as error:
        return str(error)
    return OK
