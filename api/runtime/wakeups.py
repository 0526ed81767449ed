"""Wake-ups: tasks wait for topics, and any API process or run wakes them through Redis.

Every wait has a timeout of at most two seconds, so a lost message only delays a task.

A topic is a scrape's id (its state has changed) or WORK (the reconciler has something to do). A message only says that
the state should be read again; the state itself is in PostgreSQL.
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
"""Channel of Redis's state database. A message is a list of topics, separated by spaces."""
_RETRY_SECONDS = 1.0
_PUBLISH_TIMEOUT_SECONDS = 1.0


class WakeupSubscription:
    """A task's subscription to topics."""

    def __init__(self, topics: Iterable[str]) -> None:
        self.topics, self._event = frozenset(topics), asyncio.Event()

    def wake(self) -> None:
        """End the current wait. If no task waits at the moment, the next wait ends immediately."""
        self._event.set()

    async def wait(self, *, seconds: float) -> None:
        """Wait for a wake-up, at most `seconds`. If there was one since the last wait, return immediately."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class WakeupBus:
    """The subscriptions of this process, and its connection to the messages of all processes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._subscriptions: set[WakeupSubscription] = set()
        self.is_closing = False
        """This process is shutting down: no task should wait any longer."""

    @contextmanager
    def subscribe(self, topics: Iterable[str]) -> Iterator[WakeupSubscription]:
        """Yield a subscription to topics, for as long as the block runs."""
        subscription = WakeupSubscription(topics)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def publish(self, *topics: str) -> None:
        """Wake the subscribers of these topics, in this process and in all others."""
        self._wake(topics)
        try:
            async with asyncio.timeout(_PUBLISH_TIMEOUT_SECONDS):
                await self._redis.publish(SCRAPES_CHANNEL, " ".join(topics))
        except (RedisError, TimeoutError, OSError) as error:
            logger.info("cannot publish a wake-up to other processes: %s", type(error).__name__)

    def close(self) -> None:
        """Wake all subscribers for the last time, because this process is shutting down."""
        self.is_closing = True
        for subscription in self._subscriptions:
            subscription.wake()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Receive the wake-ups of other processes and runs, for as long as the block runs."""
        task = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._receive()
            except (RedisError, OSError) as error:
                logger.info("cannot receive wake-ups, retrying: %s", type(error).__name__)
            except RuntimeError as error:  # from uvloop, if a connection closes while it is set up
                logger.warning("receiving wake-ups failed, retrying: %s", error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _receive(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(SCRAPES_CHANNEL, RUN_EVENTS_CHANNEL)
            while True:
                message = await pubsub.get_message(timeout=_RETRY_SECONDS)
                if message is None:
                    continue
                self._wake(
                    [WORK] if message["channel"] == RUN_EVENTS_CHANNEL else str(message["data"]).split()
                )

    def _wake(self, topics: Iterable[str]) -> None:
        changed = frozenset(topics)
        for subscription in self._subscriptions:
            if not changed.isdisjoint(subscription.topics):
                subscription.wake()
