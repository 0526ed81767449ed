"""A real Valkey by itself, for tests that need no more of the platform."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from stack import valkey
from stack.home import Home
from stack.ports import free_ports
from stack.secrets import load_or_create
from tests.polling import wait_for


@contextmanager
def running_valkey(folder: Path) -> Iterator[Redis]:
    """Yield a client of a Valkey that keeps its data in `folder` and ends with the block."""
    home = Home.at(folder)
    [port] = free_ports(1)
    secrets = load_or_create(home.secrets)
    process = subprocess.Popen(valkey.prepare(home, secrets, port), stdout=subprocess.DEVNULL)
    redis = Redis.from_url(valkey.url(port, secrets, valkey.STATE_DATABASE), decode_responses=True)
    try:
        wait_for("Valkey", lambda: _answers(redis) or None, seconds=20)
        yield redis
    finally:
        redis.close()
        process.terminate()
        process.wait(20)


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except RedisError:
        return False
