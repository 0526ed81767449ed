"""Tests of wake-ups within a process and between processes, and of the end of subscriptions."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from api.runtime.wakeups import WORK, WakeupBus
from api.scrape.waiting import poll_until_ended, wait_until_ended
from tests.api.api_harness import ApiHarness
from warehouse.contract import RUN_EVENTS_CHANNEL

pytestmark = pytest.mark.anyio


@dataclass
class SeenWakeups:
    """A status that a test waits for."""

    has_ended: bool = False


async def test_wakeup_reaches_another_process(harness: ApiHarness) -> None:
    other = WakeupBus(harness.services.state)
    async with other.listening():
        with (
            other.subscribe(["a"]) as mine,
            other.subscribe(["b"]) as not_mine,
            other.subscribe([WORK]) as work,
        ):
            await _subscribed(harness)
            begun = time.monotonic()
            await harness.services.wakeups.publish("a", "c")
            await mine.wait(seconds=5)
            assert time.monotonic() - begun < 1
            await harness.services.state.publish(RUN_EVENTS_CHANNEL, "a-run")
            await work.wait(seconds=5)
            assert time.monotonic() - begun < 1
            await not_mine.wait(seconds=0.3)
            assert time.monotonic() - begun > 0.3


async def _subscribed(harness: ApiHarness) -> None:
    while dict(await harness.services.state.pubsub_numsub(RUN_EVENTS_CHANNEL))[RUN_EVENTS_CHANNEL] == 0:  # noqa: ASYNC110 - Redis does not notify about subscriptions
        await asyncio.sleep(0.01)


async def test_lost_message_delays_a_waiter_by_about_a_second(harness: ApiHarness) -> None:
    seen = SeenWakeups()

    async def look() -> SeenWakeups:
        return SeenWakeups(seen.has_ended)

    async def end() -> None:
        await asyncio.sleep(0.3)
        seen.has_ended = True

    begun = time.monotonic()
    last, _ = await asyncio.gather(
        wait_until_ended(harness.services.wakeups, look, topics=frozenset("x"), seconds=30), end()
    )
    assert last.has_ended
    assert time.monotonic() - begun < 2


async def test_subscription_ends_with_its_waiter(harness: ApiHarness) -> None:
    async def look() -> SeenWakeups:
        return SeenWakeups()

    looks = poll_until_ended(harness.services.wakeups, look, topics=frozenset("x"), seconds=30)
    async with aclosing(looks):
        await anext(looks)
        assert len(harness.services.wakeups._subscriptions) == 1
    assert not harness.services.wakeups._subscriptions


async def test_failed_read_is_retried_while_a_request_waits(harness: ApiHarness) -> None:
    looks: Iterator[SeenWakeups | Exception] = iter(
        [SeenWakeups(), ConnectionRefusedError(), TimeoutError(), SeenWakeups(has_ended=True)]
    )

    async def look() -> SeenWakeups:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    last = await wait_until_ended(harness.services.wakeups, look, topics=frozenset("x"), seconds=30)
    assert last.has_ended
