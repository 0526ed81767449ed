"""The options with which every process connects to Redis."""

from collections.abc import Sequence
from typing import Any

from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError


def redis_options(
    retry: Any, *, errors: Sequence[type[RedisError]] = (RedisConnectionError, RedisTimeoutError)
) -> dict[str, Any]:
    """Return keyword arguments for `Redis.from_url`, whose defaults neither retry nor time out.

    `retry` is the retry object for the kind of client (`redis.retry.Retry` or `redis.asyncio.retry.Retry`). A command
    that fails with one of `errors` is retried.
    """
    return {
        "decode_responses": True,
        "retry": retry,
        "retry_on_error": list(errors),
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "health_check_interval": 30,
    }


def backoff() -> ExponentialBackoff:
    """Return a backoff that starts at 0.05 s and doubles up to 1 s."""
    return ExponentialBackoff(cap=1.0, base=0.05)
