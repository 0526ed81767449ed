"""Redis is killed, emptied or restored: invalid callers stay refused, valid callers are soon accepted again."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from uuid import uuid4

import httpx
import pytest
from jose import jwt
from redis import Redis
from sqlalchemy import text

from stack import valkey
from stack.secrets import load_or_create
from tests.long_version import LONG
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles

REFUSED = ("bad", "ended", "anonymous")
"""The clients whose requests are never accepted."""
LOAD_PAUSE_SECONDS = 0.02
"""Pause of each client between two requests, so that the clients leave the machine to the platform."""


@pytest.fixture
def redis(platform: Platform) -> Iterator[Redis]:
    """A client of the state database."""
    secrets = load_or_create(platform.home.secrets)
    url = valkey.url(platform.ports["valkey"], secrets, valkey.STATE_DATABASE)
    with Redis.from_url(url, decode_responses=True) as client:
        yield client


def client_with_token(platform: Platform, token: str) -> httpx.Client:
    """Return a client that sends an access token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=platform.url, headers=headers, timeout=60, trust_env=False)


def forged_token(platform: Platform, user: PlatformUser) -> str:
    """Return a copy of the user's access token for another session, signed with another key."""
    claims = jwt.get_unverified_claims(user.http.headers["Authorization"].split()[1])
    return str(jwt.encode({**claims, "sid": str(uuid4())}, uuid4().hex + uuid4().hex, algorithm="HS256"))


def test_redis_restart_under_load_admits_no_invalid_caller_and_causes_no_500(
    platform: Platform, user: PlatformUser
) -> None:
    with platform.signed_in() as other:
        signed_out = other.http.headers["Authorization"].split()[1]
        other.http.post("/auth/logout/")
    account = {"username": user.username, "password": user.password}
    with (
        client_with_token(platform, forged_token(platform, user)) as bad,
        client_with_token(platform, signed_out) as ended,
        httpx.Client(base_url=platform.url, timeout=60, trust_env=False) as anonymous,
    ):
        totals = _send_while_redis_restarts(
            platform,
            {
                "good": lambda: user.http.get("/auth/me/").status_code,
                "bad": lambda: bad.get("/auth/me/").status_code,
                "ended": lambda: ended.get("/auth/me/").status_code,
                "anonymous": lambda: anonymous.get("/dagster/server_info").status_code,
                "login": lambda: anonymous.post("/auth/login/", json=account).status_code,
            },
        )

    assert set(totals["good"]) <= {200, 503}, totals
    assert set(totals["login"]) <= {200, 429, 503}, totals
    for name in REFUSED:
        assert set(totals[name]) <= {401, 503}, totals


def _send_while_redis_restarts(
    platform: Platform, clients: Mapping[str, Callable[[], int]]
) -> dict[str, Counter[int]]:
    """Let clients send requests while Redis is killed several times; return the counts of their answers."""
    totals: dict[str, Counter[int]] = {name: Counter() for name in clients}
    stop = Event()

    def load(name: str) -> None:
        while not stop.wait(LOAD_PAUSE_SECONDS):
            totals[name][clients[name]()] += 1

    def served() -> int:
        """Return the number of right answers to the client that got the fewest."""
        return min(totals["good"][200], totals["login"].total(), *(totals[name][401] for name in REFUSED))

    def wait_until_all_are_served() -> None:
        before = served()
        wait_for("a right answer to each client", lambda: served() > before)

    with ThreadPoolExecutor(len(clients)) as pool:
        running = [pool.submit(load, name) for name in clients]
        try:
            for _ in range(3 if LONG else 2):
                wait_until_all_are_served()
                [server] = platform.processes("valkey")
                server.kill()
                wait_for("a restarted Redis", partial(_restarted, platform, server.pid))
            wait_until_all_are_served()
        finally:
            stop.set()
        for future in running:
            future.result()
    return totals


def _restarted(platform: Platform, old_pid: int) -> bool | None:
    return any(process.pid != old_pid for process in platform.processes("valkey")) or None


def test_emptied_redis_is_filled_again_from_postgresql(
    platform: Platform, user: PlatformUser, redis: Redis
) -> None:
    key = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"]}).json()
    revoked = user.http.post("/auth/keys/", json={"name": "r", "scopes": ["scrape"]}).json()
    user.http.delete(f"/auth/keys/{revoked['id']}/")
    other = user.http.post("/auth/login/", json={"username": user.username, "password": user.password}).json()
    listed = user.http.get("/auth/sessions/").json()
    user.http.delete(f"/auth/sessions/{listed[0]['id']}/")

    redis.flushdb()

    assert user.http.get("/auth/me/").status_code == 200
    with_key = {"X-API-Key": key["key"]}
    assert httpx.get(f"{platform.url}/auth/me/", headers=with_key, trust_env=False).status_code == 200
    with_revoked = {"X-API-Key": revoked["key"]}
    assert httpx.get(f"{platform.url}/auth/me/", headers=with_revoked, trust_env=False).status_code == 401
    with client_with_token(platform, other["access_token"]) as signed_out:
        assert signed_out.get("/auth/me/").status_code == 401
    refreshed = user.http.post("/auth/refresh/", json={"refresh_token": other["refresh_token"]})
    assert refreshed.status_code == 401


def test_copies_of_sessions_and_accounts_in_redis_expire_within_minutes(
    user: PlatformUser, redis: Redis
) -> None:
    user.http.get("/auth/me/")
    keys = [key for pattern in ("session:*", "account:*") for key in redis.scan_iter(pattern)]
    assert keys
    expired = -2  # of keys that ended meanwhile; the tests before left copies too
    assert all((seconds := redis.ttl(key)) == expired or 0 <= seconds <= 300 for key in keys)


def test_request_with_a_cached_session_uses_no_sql(platform: Platform, user: PlatformUser) -> None:
    user.http.get("/auth/verify")
    with platform.engine(database_roles.USERS_OWNER, database_roles.USERS_DATABASE).begin() as connection:
        # A query of one of these tables would wait until the end of this transaction.
        tables = "users, sessions, refresh_tokens, api_keys, audit_log"
        connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
        for _ in range(20):
            assert user.http.get("/auth/verify").status_code == 200


def test_no_request_after_sign_out_is_accepted_even_if_redis_loses_keys(
    platform: Platform, user: PlatformUser, redis: Redis
) -> None:
    def one_round() -> None:
        session = user.http.post(
            "/auth/login/", json={"username": user.username, "password": user.password}
        ).json()
        stop, accepted = Event(), []

        def send_requests() -> None:
            with client_with_token(platform, session["access_token"]) as http:
                while not stop.is_set():
                    begun = time.monotonic()
                    if http.get("/auth/me/").status_code == 200:
                        accepted.append(begun)

        def delete_copies() -> None:
            # Only copies of open sessions; the marks of sessions that are ending stay.
            while not stop.is_set():
                for key in redis.scan_iter("session:*"):
                    value = redis.get(key)
                    if str(value).startswith("{"):
                        redis.delete(key)

        with ThreadPoolExecutor(5) as pool:
            working = [*(pool.submit(send_requests) for _ in range(4)), pool.submit(delete_copies)]
            wait_for("requests", lambda: len(accepted) > 5 or None, seconds=30, pause_seconds=0.01)
            with client_with_token(platform, session["access_token"]) as http:
                assert http.post("/auth/logout/").status_code == 204
                signed_out_at = time.monotonic()
                for _ in range(20):
                    assert http.get("/auth/me/").status_code == 401
            stop.set()
            for future in working:
                future.result()
        assert not [begun for begun in accepted if begun > signed_out_at]

    for _ in range(8 if LONG else 3):
        one_round()
