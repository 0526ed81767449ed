"""Waiting until a scrape or a batch has ended.

The status is loaded again after each wake-up. No database connection is held between two loads.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Protocol, TypeVar

from fastapi import Query
from sqlalchemy.exc import SQLAlchemyError

from api.runtime.wakeups import WakeupBus

logger = logging.getLogger(__name__)

STREAM_SECONDS = 600.0
"""The longest time that one event stream lasts. To follow for longer, a client reconnects."""
_MAX_WAIT_SECONDS = 60
_POLL_SECONDS = 1.0
_MIN_PAUSE_SECONDS = 0.1

WaitSeconds = Annotated[
    float,
    Query(
        ge=0,
        le=_MAX_WAIT_SECONDS,
        allow_inf_nan=False,
        description="The maximum time to wait until the scrape or batch has ended, in seconds",
    ),
]


class AwaitedStatus(Protocol):
    """A status that becomes final."""

    @property
    def has_ended(self) -> bool:
        """Whether the status is final."""


_Status = TypeVar("_Status", bound=AwaitedStatus)


async def poll_until_ended(
    wakeups: WakeupBus,
    load_status: Callable[[], Awaitable[_Status]],
    *,
    topics: frozenset[str],
    seconds: float,
) -> AsyncGenerator[_Status, None]:
    """Yield the status now and after each wake-up, until it is final or the time is up.

    No database connection is held between two loads. If the first load fails, the error is raised. If a later load
    fails because a store does not answer, the status is loaded again.

    Args:
        wakeups: The bus that announces changes.
        load_status: Loads the current status.
        topics: The topics whose wake-ups lead to another load; without a wake-up, the status is loaded every second.
        seconds: The longest time to wait.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    with wakeups.subscribe(topics) as subscription:
        yield (status := await load_status())
        while not status.has_ended and not wakeups.is_closing and (left := deadline - loop.time()) > 0:
            await subscription.wait(seconds=min(_POLL_SECONDS, left))
            try:
                yield (status := await load_status())
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                logger.info("cannot load the status, retrying: %s", type(error).__name__)
            await asyncio.sleep(min(_MIN_PAUSE_SECONDS, max(0.0, deadline - loop.time())))


async def wait_until_ended(
    wakeups: WakeupBus,
    load_status: Callable[[], Awaitable[_Status]],
    *,
    topics: frozenset[str],
    seconds: float,
) -> _Status:
    """Return the final status, or the last loaded one when the time is up; see `poll_until_ended`."""
    async with aclosing(poll_until_ended(wakeups, load_status, topics=topics, seconds=seconds)) as statuses:
        status = await anext(statuses)
        async for later_status in statuses:
            status = later_status
    return status
