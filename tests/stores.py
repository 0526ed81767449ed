"""A real Valkey server for tests that do not need the rest of the platform."""

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
    """Run a Valkey server with its data in `folder` until the block ends; yield a client of it."""
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
