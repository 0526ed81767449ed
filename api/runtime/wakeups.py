"""Who waits for what, and waking them: over all API processes, by Redis; a lost message costs a second.

A topic is a scrape's id (its state has changed), or WORK (the reconciler has something to do). Messages only say that
it is worth looking; what is true stands in PostgreSQL.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from warehouse.contract import RUN_EVENTS_CHANNEL

logger = logging.getLogger(__name__)

WORK = "work"
SCRAPES_CHANNEL = "events:scrapes"
"""Redis channel (state database): topics, separated by spaces."""
_AGAIN_SECONDS = 1.0
_LONGEST_ANNOUNCEMENT_SECONDS = 1.0


class WakeupSubscription:
    """Someone who waits for topics."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics, self._event = frozenset(topics), asyncio.Event()

    def wake(self) -> None:
        """Have the wait end."""
        self._event.set()

    async def wait(self, *, seconds: float) -> None:
        """Wait until one of the topics has changed since the last wait, for so long at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class WakeupBus:
    """The board of this process: who waits, and what comes in from all processes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._subscriptions: set[WakeupSubscription] = set()
        self.is_closing = False
        """This process is about to end: nobody should wait any longer."""

    @contextmanager
    def subscribe(self, topics: Iterable[str]) -> Iterator[WakeupSubscription]:
        """Yield a watch for topics."""
        watch = WakeupSubscription(topics)
        self._subscriptions.add(watch)
        try:
            yield watch
        finally:
            self._subscriptions.discard(watch)

    async def publish(self, *topics: str) -> None:
        """Wake who waits for these topics, here and in the other processes."""
        self._wake(topics)
        try:
            async with asyncio.timeout(_LONGEST_ANNOUNCEMENT_SECONDS):
                await self._redis.publish(SCRAPES_CHANNEL, " ".join(topics))
        except (RedisError, TimeoutError, OSError) as error:
            logger.info("other processes are not told of changes: %s", type(error).__name__)

    def close(self) -> None:
        """Wake everyone, for good."""
        self.is_closing = True
        for watch in self._subscriptions:
            watch.wake()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take in what other processes and runs announce, until the block ends."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                logger.info("not told of changes for now: %s", type(error).__name__)
            except RuntimeError as error:  # uvloop's, of a connection that closes while it is set up
                logger.warning("listening failed, trying again: %s", error)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _hear(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(SCRAPES_CHANNEL, RUN_EVENTS_CHANNEL)
            while True:
                message = await pubsub.get_message(timeout=_AGAIN_SECONDS)
                if message is None:
                    continue
                self._wake(
                    [WORK] if message["channel"] == RUN_EVENTS_CHANNEL else str(message["data"]).split()
                )

    def _wake(self, topics: Iterable[str]) -> None:
        changed = frozenset(topics)
        for watch in self._subscriptions:
            if not changed.isdisjoint(watch.topics):
                watch.wake()
