"""Tests of wake-ups within a process and between processes, and of the end of subscriptions."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from api.runtime.wakeups import WORK, WakeupBus
from api.scrape import waiting
from api.scrape.waiting import poll_until_ended, wait_until_ended
from tests.api.api_harness import ApiHarness
from warehouse.contract import RUN_EVENTS_CHANNEL

pytestmark = pytest.mark.anyio
_FAILS_AFTER_SECONDS = 60
_TOO_LONG_SECONDS = 600
"""A wait that a test only survives if something ends it early."""


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
            async with asyncio.timeout(_FAILS_AFTER_SECONDS):
                await harness.services.wakeups.publish("a", "c")
                await mine.wait(seconds=_TOO_LONG_SECONDS)
                await harness.services.state.publish(RUN_EVENTS_CHANNEL, "a-run")
                await work.wait(seconds=_TOO_LONG_SECONDS)
            assert not not_mine._event.is_set()


async def _subscribed(harness: ApiHarness) -> None:
    while dict(await harness.services.state.pubsub_numsub(RUN_EVENTS_CHANNEL))[RUN_EVENTS_CHANNEL] == 0:  # noqa: ASYNC110 - Redis does not notify about subscriptions
        await asyncio.sleep(0.01)


async def test_waiter_looks_again_although_a_message_was_lost(
    harness: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waiting._POLL_SECONDS <= 1
    monkeypatch.setattr(waiting, "_POLL_SECONDS", 0.05)
    looks = iter([False, False, True])

    async def look() -> SeenWakeups:
        return SeenWakeups(next(looks))

    async with asyncio.timeout(_FAILS_AFTER_SECONDS):
        last = await wait_until_ended(
            harness.services.wakeups, look, topics=frozenset("x"), seconds=_TOO_LONG_SECONDS
        )
    assert last.has_ended


async def test_subscription_ends_with_its_waiter(harness: ApiHarness) -> None:
    async def look() -> SeenWakeups:
        return SeenWakeups()

    looks = poll_until_ended(harness.services.wakeups, look, topics=frozenset("x"), seconds=_TOO_LONG_SECONDS)
    async with aclosing(looks):
        await anext(looks)
        assert len(harness.services.wakeups._subscriptions) == 1
    assert not harness.services.wakeups._subscriptions


async def test_failed_read_is_retried_while_a_request_waits(
    harness: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_POLL_SECONDS", 0.05)
    looks: Iterator[SeenWakeups | Exception] = iter(
        [SeenWakeups(), ConnectionRefusedError(), TimeoutError(), SeenWakeups(has_ended=True)]
    )

    async def look() -> SeenWakeups:
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    last = await wait_until_ended(
        harness.services.wakeups, look, topics=frozenset("x"), seconds=_TOO_LONG_SECONDS
    )
    assert last.has_ended
