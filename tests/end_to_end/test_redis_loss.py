"""Redis is restarted, emptied, gone: nobody gets in who should not, and who may is soon let in again."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from uuid import uuid4

import httpx
from jose import jwt
from redis import Redis
from sqlalchemy import text

from stack import valkey
from stack.secrets import load_or_create
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles


def redis_of(platform: Platform) -> Redis:
    secrets = load_or_create(platform.home.secrets)
    url = valkey.url(platform.ports["valkey"], secrets, valkey.STATE_DATABASE)
    return Redis.from_url(url, decode_responses=True)


def with_token(platform: Platform, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=platform.url, headers=headers, timeout=60, trust_env=False)


def forged(platform: Platform, user: PlatformUser) -> str:
    claims = jwt.get_unverified_claims(user.http.headers["Authorization"].split()[1])
    return str(jwt.encode({**claims, "sid": str(uuid4())}, uuid4().hex + uuid4().hex, algorithm="HS256"))


def test_restarted_under_load_lets_nobody_in_wrongly_and_answers_no_500(
    platform: Platform, user: PlatformUser
) -> None:
    with platform.signed_in() as gone:
        signed_out = gone.http.headers["Authorization"].split()[1]
        gone.http.post("/auth/logout/")
    clients: dict[str, Callable[[], int]] = {}
    good, bad = user.http, with_token(platform, forged(platform, user))
    ended = with_token(platform, signed_out)
    nobody = httpx.Client(base_url=platform.url, timeout=60, trust_env=False)
    clients["good"] = lambda: good.get("/auth/me/").status_code
    clients["bad"] = lambda: bad.get("/auth/me/").status_code
    clients["ended"] = lambda: ended.get("/auth/me/").status_code
    clients["nobody"] = lambda: nobody.get("/dagster/server_info").status_code
    clients["login"] = lambda: (
        nobody.post("/auth/login/", json={"username": user.username, "password": user.password}).status_code
    )
    stop = Event()

    def load(name: str) -> tuple[str, Counter[int]]:
        counts: Counter[int] = Counter()
        while not stop.is_set():
            counts[clients[name]()] += 1
        return name, counts

    with ThreadPoolExecutor(10) as pool:
        running = [pool.submit(load, name) for name in [*clients] * 2]
        for _ in range(3):
            [server] = platform.processes("valkey")
            server.kill()
            wait_for("Redis again", partial(_restarted, platform, server.pid), seconds=30)
            wait_for("an answer", lambda: good.get("/auth/me/").status_code == 200 or None, seconds=30)
        stop.set()
        totals: dict[str, Counter[int]] = {}
        for each in running:
            name, counts = each.result()
            totals[name] = totals.get(name, Counter()) + counts

    assert totals["good"][200] > 0
    assert set(totals["good"]) <= {200, 503}, totals
    assert set(totals["login"]) <= {200, 429, 503}, totals
    for name in ("bad", "ended", "nobody"):
        assert totals[name][401] > 0
        assert set(totals[name]) <= {401, 503}, totals


def _restarted(platform: Platform, old: int) -> bool | None:
    return any(each.pid != old for each in platform.processes("valkey")) or None


def test_emptied_it_is_filled_again_from_what_postgresql_knows(
    platform: Platform, user: PlatformUser
) -> None:
    key = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"]}).json()
    revoked = user.http.post("/auth/keys/", json={"name": "r", "scopes": ["scrape"]}).json()
    user.http.delete(f"/auth/keys/{revoked['id']}/")
    other = user.http.post("/auth/login/", json={"username": user.username, "password": user.password}).json()
    listed = user.http.get("/auth/sessions/").json()
    user.http.delete(f"/auth/sessions/{listed[0]['id']}/")

    redis_of(platform).flushdb()

    assert user.http.get("/auth/me/").status_code == 200
    with_key = {"X-API-Key": key["key"]}
    assert httpx.get(f"{platform.url}/auth/me/", headers=with_key, trust_env=False).status_code == 200
    with_revoked = {"X-API-Key": revoked["key"]}
    assert httpx.get(f"{platform.url}/auth/me/", headers=with_revoked, trust_env=False).status_code == 401
    assert with_token(platform, other["access_token"]).get("/auth/me/").status_code == 401
    refreshed = user.http.post("/auth/refresh/", json={"refresh_token": other["refresh_token"]})
    assert refreshed.status_code == 401


def test_put_back_from_an_old_copy_it_is_not_believed_for_long(
    platform: Platform, user: PlatformUser
) -> None:
    redis = redis_of(platform)
    user.http.get("/auth/me/")
    keys = [key for pattern in ("session:*", "account:*") for key in redis.scan_iter(pattern)]
    assert keys
    assert all(0 < redis.ttl(key) <= 300 for key in keys)


def test_a_request_of_somebody_known_costs_no_sql(platform: Platform, user: PlatformUser) -> None:
    def transactions() -> int:
        with platform.engine(database_roles.USERS_OWNER, database_roles.USERS_DATABASE).begin() as connection:
            connection.execute(text("SELECT pg_stat_clear_snapshot()"))
            query = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'users'"
            return int(connection.execute(text(query)).scalar_one())

    user.http.get("/auth/verify")
    started, before = time.monotonic(), transactions()
    for _ in range(300):
        assert user.http.get("/auth/verify").status_code == 200
    # The reconciler asks a few times a second meanwhile.
    allowed = 50 + 10 * (time.monotonic() - started)
    assert transactions() - before < allowed < 300


def test_no_request_begun_after_signing_out_gets_in_even_where_redis_forgets_meanwhile(
    platform: Platform, user: PlatformUser
) -> None:
    redis = redis_of(platform)

    def one_round() -> None:
        session = user.http.post(
            "/auth/login/", json={"username": user.username, "password": user.password}
        ).json()
        stop, late = Event(), []

        def ask() -> None:
            with with_token(platform, session["access_token"]) as http:
                while not stop.is_set():
                    begun = time.monotonic()
                    if http.get("/auth/me/").status_code == 200:
                        late.append(begun)

        def forget() -> None:
            # Only copies of what is open: what is on its way out has been marked on purpose.
            while not stop.is_set():
                for key in redis.scan_iter("session:*"):
                    value = redis.get(key)
                    if str(value).startswith("{"):
                        redis.delete(key)

        with ThreadPoolExecutor(5) as pool:
            working = [*(pool.submit(ask) for _ in range(4)), pool.submit(forget)]
            wait_for("requests", lambda: len(late) > 5 or None, seconds=30, pause_seconds=0.01)
            with with_token(platform, session["access_token"]) as http:
                assert http.post("/auth/logout/").status_code == 204
                out = time.monotonic()
                for _ in range(20):
                    assert http.get("/auth/me/").status_code == 401
            stop.set()
            for each in working:
                each.result()
        assert not [begun for begun in late if begun > out]

    for _ in range(8):
        one_round()
