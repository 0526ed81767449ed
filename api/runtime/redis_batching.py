"""One connection to Redis for the commands of many requests: what is asked while an answer is on its way goes together.

A pool gives each request a connection, whose checks, clocks and system calls cost more than what Redis does. Here the
busier a worker is, the more commands share one exchange; where nobody else asks, a command goes at once.
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
"""How long an exchange may take."""
_MOST_AT_ONCE = 128
"""Commands an exchange, so that neither side is busy with one for long."""
_AWAY = (TimeoutError, RedisTimeoutError, RedisConnectionError)
"""Redis stands still or is away: whoever waits behind is refused too, or the last would wait for all tries before."""

_Waiting = tuple[bytes, "asyncio.Future[Any]"]


class BatchedRedis:
    """Executes commands in the order in which they come, each for whoever asked."""

    def __init__(self, redis: Redis) -> None:
        """`redis` says where and how to connect; its clock (`socket_timeout`) is to be off: there is one here."""
        self._connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._waiting: deque[_Waiting] = deque()
        self._at_work: asyncio.Task[Any] | None = None
        """Who has the connection."""
        self._is_closed = False

    async def execute(self, *command: str | bytes | int) -> Any:
        """Return Redis's answer to a command. Raises RedisError, TimeoutError."""
        # redis-py does it in Python. (The stub speaks of tuples of one.)
        packed = pack_command(command)  # type: ignore[arg-type]
        if self._is_closed:
            raise RedisConnectionError("closed")
        if self._at_work is not None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append((packed, waiting))
            return await waiting
        self._at_work = asyncio.current_task()
        try:
            [answer] = await self._exchange([packed])
        finally:
            self._at_work = asyncio.create_task(self._exchange_waiting()) if self._waiting else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        """Close the connection; who waits is refused."""
        self._is_closed = True
        self._refuse_waiting(RedisConnectionError("closed"))
        if self._at_work is not None:
            self._at_work.cancel()
            await asyncio.gather(self._at_work, return_exceptions=True)
        await self._connection.disconnect()

    async def _exchange_waiting(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
                try:
                    answers = await self._exchange([packed for packed, _ in batch])
                except Exception as error:  # whatever it is, it is for those who wait for it
                    answers = [error] * len(batch)
                for (_, waiting), answer in zip(batch, answers, strict=True):
                    _give(waiting, answer)
        finally:
            for _, waiting in batch:
                waiting.cancel()  # if it has no answer
            self._at_work = None

    def _refuse_waiting(self, error: Exception) -> None:
        for _, waiting in self._waiting:
            _give(waiting, error)
        self._waiting.clear()

    async def _exchange(self, commands: Sequence[bytes]) -> list[Any]:
        """Return the answers, errors among them as values. Raises RedisError, TimeoutError, for all who wait too."""
        connection, packed = self._connection, b"".join(commands)

        async def once() -> list[Any]:
            await connection.connect_check_health(retry_socket_connect=False)  # this whole is tried again
            await connection.send_packed_command(packed)
            return [await self._read() for _ in commands]

        async def clean_up(_: Exception) -> None:
            await connection.disconnect()

        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                return list(await connection.retry.call_with_retry(once, clean_up))
        except _AWAY as error:
            self._refuse_waiting(error)
            raise

    async def _read(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return error


def _give(waiting: "asyncio.Future[Any]", answer: Any) -> None:
    if waiting.done():  # whoever asked went away
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
