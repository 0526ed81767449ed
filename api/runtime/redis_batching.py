"""One Redis connection for the commands of many requests.

Commands that arrive while the connection is busy wait, and are then sent together.

A connection pool would give each request a connection of its own. The checks, timeouts and system calls for each
connection cost more than the work in Redis. Here, the busier a worker is, the more commands share one exchange. A
command that finds the connection idle is sent immediately.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

LONGEST_SECONDS = 5.0
"""Timeout of an exchange: sending commands and reading their answers."""
_MOST_COMMANDS = 128
"""Maximum number of commands per exchange, so that neither side is busy with one exchange for long."""
_OUTAGES = (TimeoutError, RedisTimeoutError, RedisConnectionError)
"""Redis hangs or is unreachable. Queued commands then fail too, instead of waiting for retries one after another."""

_QueuedCommand = tuple[bytes, "asyncio.Future[Any]"]


class BatchedRedis:
    """Executes commands in the order of the calls, and gives each caller its own answer."""

    def __init__(self, redis: Redis) -> None:
        """Use the connection settings of `redis`; its `socket_timeout` must be None, as this class has a timeout."""
        self._connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._queue: deque[_QueuedCommand] = deque()
        self._owner: asyncio.Task[Any] | None = None
        """The task that uses the connection."""
        self._is_closed = False

    async def execute(self, *command: str | bytes | int) -> Any:
        """Return Redis's answer to a command. Raises RedisError, TimeoutError."""
        # redis-py packs commands in Python, which is slower. (hiredis's type stub declares tuples of one element.)
        packed = pack_command(command)  # type: ignore[arg-type]
        if self._is_closed:
            raise RedisConnectionError("the connection is closed")
        if self._owner is not None:
            answer_to_come = asyncio.get_running_loop().create_future()
            self._queue.append((packed, answer_to_come))
            return await answer_to_come
        self._owner = asyncio.current_task()
        try:
            [answer] = await self._exchange([packed])
        finally:
            self._owner = asyncio.create_task(self._exchange_queued()) if self._queue else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        """Close the connection; queued commands fail."""
        self._is_closed = True
        self._fail_queued(RedisConnectionError("the connection is closed"))
        if self._owner is not None:
            self._owner.cancel()
            await asyncio.gather(self._owner, return_exceptions=True)
        await self._connection.disconnect()

    async def _exchange_queued(self) -> None:
        batch: list[_QueuedCommand] = []
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), _MOST_COMMANDS))]
                try:
                    answers = await self._exchange([packed for packed, _ in batch])
                except Exception as error:  # passed to the callers, who await the answers
                    answers = [error] * len(batch)
                for (_, future), answer in zip(batch, answers, strict=True):
                    _resolve(future, answer)
        finally:
            for _, future in batch:
                future.cancel()  # no effect on futures that have an answer
            self._owner = None

    def _fail_queued(self, error: Exception) -> None:
        for _, future in self._queue:
            _resolve(future, error)
        self._queue.clear()

    async def _exchange(self, commands: Sequence[bytes]) -> list[Any]:
        """Send commands and return the answers; an error answer is an element of the list.

        In an outage, fail the queued commands too, and raise RedisError or TimeoutError.
        """
        connection, packed = self._connection, b"".join(commands)

        async def send_and_read() -> list[Any]:
            # The connection must not retry by itself, because the whole exchange is retried below.
            await connection.connect_check_health(retry_socket_connect=False)
            await connection.send_packed_command(packed)
            return [await self._read() for _ in commands]

        async def clean_up(_: Exception) -> None:
            await connection.disconnect()

        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                return list(await connection.retry.call_with_retry(send_and_read, clean_up))
        except _OUTAGES as error:
            self._fail_queued(error)
            raise

    async def _read(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return error


def _resolve(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():  # the caller was cancelled
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
