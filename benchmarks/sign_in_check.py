"""Benchmark of authenticating a request: from copies in Redis, compared with queries to PostgreSQL.

    .venv/bin/python -m benchmarks.sign_in_check

Starts a platform of its own on free ports. Sends `GET /auth/verify` with an access token directly to the API,
alternately with the copies in Redis and after deleting them. Prints the medians in milliseconds and their ratio.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from redis import Redis

from stack import valkey
from stack.secrets import load_or_create
from standin import running_site
from tests.platform_harness import Platform, running_platform

ROUNDS = 500


def main() -> None:
    """Run the benchmark."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site() as site,
        running_platform(Path(folder), site, durable=True) as platform,
    ):
        measure(platform)


def measure(platform: Platform) -> None:
    """Measure both variants in turns, so that other load on the machine affects both equally."""
    secrets = load_or_create(platform.home.secrets)
    redis = Redis.from_url(valkey.url(platform.ports["valkey"], secrets, valkey.STATE_DATABASE))
    api_url = f"http://127.0.0.1:{platform.ports['api']}"
    with platform.signed_in() as user, httpx.Client(base_url=api_url, trust_env=False) as http:
        http.headers["Authorization"] = user.http.headers["Authorization"]

        def delete_copies() -> None:
            for key in [*redis.scan_iter("session:*"), *redis.scan_iter("account:*")]:
                redis.delete(key)

        def timed(before: Callable[[], object]) -> float:
            before()
            started = time.perf_counter()
            assert http.get("/auth/verify").status_code == httpx.codes.OK
            return (time.perf_counter() - started) * 1000

        timings: dict[str, list[float]] = {"copies in Redis": [], "asking PostgreSQL": []}
        for _ in range(ROUNDS):
            timings["asking PostgreSQL"].append(timed(delete_copies))
            timings["copies in Redis"].append(timed(lambda: None))
    medians = {name: statistics.median(values) for name, values in timings.items()}
    ratio = medians["asking PostgreSQL"] / medians["copies in Redis"]
    print(
        json.dumps(
            {**{f"{name}, ms": round(value, 2) for name, value in medians.items()}, "ratio": round(ratio, 2)}
        )
    )


if __name__ == "__main__":
    main()
