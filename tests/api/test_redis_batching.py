"""Tests of batched Redis commands: every caller gets its own answer, whatever happens to the others."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from api.runtime.redis_batching import _MOST_COMMANDS, BatchedRedis
from stack.ports import free_ports
from warehouse.config.redis_options import backoff

pytestmark = pytest.mark.anyio


def _redis(url: str) -> Redis:
    return Redis.from_url(
        f"{url}/0", socket_timeout=None, retry=Retry(backoff(), 3), retry_on_error=[RedisConnectionError]
    )


@pytest.fixture
async def pipelined(redis_url: str) -> AsyncIterator[BatchedRedis]:
    pipelined = BatchedRedis(_redis(redis_url))
    try:
        yield pipelined
    finally:
        await pipelined.aclose()


async def test_each_caller_gets_the_answer_to_its_own_command(pipelined: BatchedRedis) -> None:
    values = [f"value {number}" for number in range(500)]
    answers = await asyncio.gather(*(pipelined.execute("ECHO", value) for value in values))
    assert answers == [value.encode() for value in values]


async def test_commands_that_wait_are_sent_together(pipelined: BatchedRedis, observer: Redis) -> None:
    await pipelined.execute("PING")
    before = await _reads(observer)
    await asyncio.gather(*(pipelined.execute("ECHO", str(number)) for number in range(100)))
    assert await _reads(observer) - before < 10


async def _reads(observer: Redis) -> int:
    return int((await observer.info("stats"))["total_reads_processed"])


async def test_error_answer_reaches_only_its_caller(pipelined: BatchedRedis) -> None:
    commands = [("ECHO", "good"), ("NO-SUCH-COMMAND",), ("ECHO", "other")]
    answers = await asyncio.gather(*(pipelined.execute(*each) for each in commands), return_exceptions=True)
    assert (answers[0], answers[2]) == (b"good", b"other")
    assert isinstance(answers[1], ResponseError)


@pytest.mark.parametrize("gone", range(3))
async def test_cancelled_caller_does_not_affect_other_answers(
    pipelined: BatchedRedis, observer: Redis, gone: int
) -> None:
    # The first command uses the connection, the others wait in the queue.
    await observer.client_pause(60_000, all=False)
    asking = [asyncio.create_task(pipelined.execute("SET", "a", str(number), "GET")) for number in range(3)]
    await _until_sent(observer)
    asking[gone].cancel()
    await observer.client_unpause()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[gone], asyncio.CancelledError)
    left = [answer for number, answer in enumerate(answers) if number != gone]
    assert not any(isinstance(answer, BaseException) for answer in left)
    assert await pipelined.execute("ECHO", "next") == b"next"


async def _until_sent(observer: Redis) -> None:
    """Wait until Valkey, which is paused, has received a SET."""
    async with asyncio.timeout(60):
        while not any(client["cmd"] == "set" for client in await observer.client_list()):
            pass


async def test_callers_cancelled_during_an_exchange_do_not_affect_other_answers(
    pipelined: BatchedRedis, observer: Redis
) -> None:
    await pipelined.execute("PING")
    await observer.client_pause(60_000, all=False)
    asking = [asyncio.create_task(pipelined.execute("SET", "a", str(number))) for number in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()  # so that the others are sent as one batch
    await _until_sent(observer)
    for each in asking[10:20]:
        each.cancel()
    await observer.client_unpause()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, asyncio.CancelledError)] == [b"OK"] * 39


async def test_broken_connection_is_reopened(pipelined: BatchedRedis, observer: Redis) -> None:
    number = await pipelined.execute("CLIENT", "ID")
    await observer.client_kill_filter(_id=str(number))
    assert await pipelined.execute("ECHO", "again") == b"again"


async def test_all_callers_fail_immediately_if_nothing_listens() -> None:
    [port] = free_ports(1)
    pipelined = BatchedRedis(_redis(f"redis://127.0.0.1:{port}"))
    many = 2 * _MOST_COMMANDS + 10  # more than one batch
    answers = await asyncio.gather(*(pipelined.execute("PING") for _ in range(many)), return_exceptions=True)
    assert len(set(map(id, answers))) == 1  # one failure for all, not one exchange after another
    assert isinstance(answers[0], RedisConnectionError)


async def test_close_leaves_no_caller_waiting(pipelined: BatchedRedis, observer: Redis) -> None:
    await observer.client_pause(60_000, all=False)
    asking = [asyncio.create_task(pipelined.execute("SET", "a", str(number))) for number in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(pipelined.aclose())
    asking.append(asyncio.create_task(pipelined.execute("SET", "a", "late")))
    answers = await asyncio.gather(*asking, return_exceptions=True)
    await closing
    await observer.client_unpause()
    types = [asyncio.CancelledError, *[RedisConnectionError] * 3]
    assert [type(answer) for answer in answers] == types


async def test_command_that_cannot_be_encoded_fails_only_its_caller(pipelined: BatchedRedis) -> None:
    commands = ["a", "\udcff", "b"]
    answers = await asyncio.gather(
        *(pipelined.execute("ECHO", each) for each in commands), return_exceptions=True
    )
    assert (answers[0], answers[2]) == (b"a", b"b")
    assert isinstance(answers[1], UnicodeEncodeError)
