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
from redis.exceptions import ResponseError

LONGEST_SECONDS = 5.0
"""How long an exchange may take; whoever waits behind it is refused with it, for Redis stands still then."""
_MOST_AT_ONCE = 128
"""Commands an exchange, so that neither side is busy with one for long."""

_Command = tuple[Any, ...]
_Waiting = tuple[_Command, "asyncio.Future[Any]"]


class Pipelined:
    """Executes commands in the order in which they come, each for whoever asked."""

    def __init__(self, redis: Redis) -> None:
        """`redis` says where and how to connect; its clock (`socket_timeout`) is to be off: there is one here."""
        self._connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._waiting: deque[_Waiting] = deque()
        self._at_work: asyncio.Task[Any] | None = None
        """Who has the connection."""

    async def execute(self, *command: Any) -> Any:
        """Return Redis's answer to a command. Raises RedisError, TimeoutError."""
        if self._at_work is not None:
            answer = asyncio.get_running_loop().create_future()
            self._waiting.append((command, answer))
            return await answer
        self._at_work = asyncio.current_task()
        try:
            [answer] = await self._exchange([command])
        except TimeoutError as error:
            self._refuse_waiting(error)
            raise
        finally:
            self._at_work = asyncio.create_task(self._exchange_waiting()) if self._waiting else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        """Close the connection; who waits is cancelled."""
        for _, waiting in self._waiting:
            waiting.cancel()
        self._waiting.clear()
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
                    answers = await self._exchange([command for command, _ in batch])
                except Exception as error:  # whatever it is, it is for those who wait for it
                    answers = [error] * len(batch)
                    if isinstance(error, TimeoutError):
                        self._refuse_waiting(error)
                for (_, waiting), answer in zip(batch, answers, strict=True):
                    _give(waiting, answer)
        finally:
            for _, waiting in batch:
                waiting.cancel()  # if it has no answer
            self._at_work = None

    def _refuse_waiting(self, error: TimeoutError) -> None:
        for _, waiting in self._waiting:
            _give(waiting, error)
        self._waiting.clear()

    async def _exchange(self, commands: Sequence[_Command]) -> list[Any]:
        """Return the answers, errors among them as values. Raises RedisError, TimeoutError."""
        packed = b"".join(map(pack_command, commands))  # redis-py's own way is Python

        async def once() -> list[Any]:
            connection = self._connection
            await connection.connect()
            await connection.send_packed_command(packed)
            return [await self._read() for _ in commands]

        async def clean_up(_: Exception) -> None:
            await self._connection.disconnect()

        async with asyncio.timeout(LONGEST_SECONDS):
            return list(await self._connection.retry.call_with_retry(once, clean_up))

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
