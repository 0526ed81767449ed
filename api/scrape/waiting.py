"""Waiting for what was asked for: looking again whenever it may have moved, holding nothing meanwhile."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Protocol, TypeVar

from fastapi import Query
from sqlalchemy.exc import SQLAlchemyError

from api.services import Services

logger = logging.getLogger(__name__)

STREAM_SECONDS = 600.0
"""How long one stream of events lasts; a client that wants more connects again."""
_LONGEST_WAIT_SECONDS = 60
_LOOK_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.1

WaitSeconds = Annotated[
    float,
    Query(
        ge=0,
        le=_LONGEST_WAIT_SECONDS,
        allow_inf_nan=False,
        description="Wait until it is over, for so many seconds at most",
    ),
]


class View(Protocol):
    """What is looked at."""

    @property
    def is_over(self) -> bool:
        """Nothing more will come."""


_View = TypeVar("_View", bound=View)


async def look_until_over(
    services: Services, look: Callable[[], Awaitable[_View]], *, topics: frozenset[str], seconds: float
) -> AsyncGenerator[_View, None]:
    """Yield what there is to see, at once and whenever it may have moved, until it is over or the time is up.

    Between two looks no connection is held. A store that does not answer is looked at again; the first look raises.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    with services.wakeups.subscribe(topics) as watch:
        yield (seen := await look())
        while not seen.is_over and not services.wakeups.is_closing and (left := deadline - loop.time()) > 0:
            await watch.wait(seconds=min(_LOOK_SECONDS, left))
            try:
                yield (seen := await look())
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                logger.info("could not look, looking again: %s", type(error).__name__)
            await asyncio.sleep(min(_SHORTEST_PAUSE_SECONDS, max(0.0, deadline - loop.time())))


async def wait_until_over(
    services: Services, look: Callable[[], Awaitable[_View]], *, topics: frozenset[str], seconds: float
) -> _View:
    """Return what there is to see once it is over, or when the time is up."""
    async with aclosing(look_until_over(services, look, topics=topics, seconds=seconds)) as looks:
        seen = await anext(looks)
        async for later in looks:
            seen = later
    return seen
