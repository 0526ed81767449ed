"""Tests of the limits on password guesses: they stop guessing, reveal no account, and lock no owner out for good."""

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from uuid import uuid4

import httpx
import pytest
from redis import Redis
from sqlalchemy import text

from tests.api.served_api import ServedApi
from tests.local_http import local_client
from tests.page_forms import hidden_fields
from tests.platform_user import PlatformUser
from warehouse.schema import database_roles


@pytest.fixture(scope="module")
def api(served: ServedApi) -> Iterator[httpx.Client]:
    """An API with low limits and long windows; requests set their address in X-Forwarded-For."""
    with served.another_api(
        limit_guesses="5/hour", limit_guesses_address="20/hour", limit_guesses_account="8/hour"
    ) as http:
        yield http


def pass_time(served: ServedApi, seconds: int) -> None:
    """Make all counted guesses older."""
    with Redis.from_url(served.settings.redis_state_url, decode_responses=True) as redis:
        for key in redis.scan_iter("limit*"):
            counted = [float(each) - seconds for each in cast("list[str]", redis.lrange(key, 0, -1))]
            redis.delete(key)
            redis.rpush(key, *counted)


def sign_in(api: httpx.Client, username: str, password: str, *, address: str) -> httpx.Response:
    body = {"username": username, "password": password}
    return api.post("/auth/login/", json=body, headers={"X-Forwarded-For": address})


def address() -> str:
    """Return an address that no other test uses."""
    number = uuid4().int
    return f"10.{number % 250}.{number // 250 % 250}.{number // 62_500 % 250 + 1}"


def test_concurrent_wrong_passwords_are_refused_after_a_few(served: ServedApi) -> None:
    with served.signed_in() as user, served.another_api(limit_guesses="5/hour") as api:
        here = address()
        with ThreadPoolExecutor(32) as pool:
            answers = list(
                pool.map(
                    lambda number: sign_in(api, user.username, f"guess {number}", address=here), range(200)
                )
            )
        counts = Counter(answer.status_code for answer in answers)
        assert set(counts) == {401, 429}
        assert counts[401] == 5
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
        assert refused.headers["RateLimit-Remaining"] == "0"
        # The correct password is refused too, or else guessing could continue.
        assert sign_in(api, user.username, user.password, address=here).status_code == 429
        # Open sessions stay open, and the owner can sign in from an address used before.
        assert user.http.get("/auth/me/").status_code == 200
        assert user.http.post("/auth/login/", json=_credentials(user)).status_code == 200
        with served.engine(database_roles.API).begin() as connection:
            noted = connection.execute(
                text("SELECT event, count(*) FROM audit_log WHERE actor = :name GROUP BY event"),
                {"name": user.username},
            )
            events: dict[str, int] = {row[0]: row[1] for row in noted}
        assert events["sign_in_failed"] == counts[401]
        assert 1 <= events["sign_in_throttled"] <= 3


def _credentials(user: PlatformUser) -> dict[str, str]:
    return {"username": user.username, "password": user.password}


def test_sign_in_works_again_after_retry_after(
    served: ServedApi, api: httpx.Client, user: PlatformUser
) -> None:
    here = address()
    for _ in range(5):
        assert sign_in(api, user.username, "wrong", address=here).status_code == 401
    refused = sign_in(api, user.username, user.password, address=here)
    assert refused.status_code == 429
    seconds = int(refused.headers["Retry-After"])
    assert seconds <= 3600

    pass_time(served, seconds // 2)
    assert sign_in(api, user.username, user.password, address=here).status_code == 429
    pass_time(served, seconds - seconds // 2)
    assert sign_in(api, user.username, user.password, address=here).status_code == 200


def test_correct_password_resets_the_count_of_wrong_ones(api: httpx.Client, user: PlatformUser) -> None:
    here = address()
    for _ in range(3):
        for _ in range(4):
            assert sign_in(api, user.username, "wrong", address=here).status_code == 401
        assert sign_in(api, user.username, user.password, address=here).status_code == 200


def test_guesses_from_other_addresses_do_not_lock_the_owner_out(
    api: httpx.Client, user: PlatformUser
) -> None:
    home = address()
    assert sign_in(api, user.username, user.password, address=home).status_code == 200
    statuses = [sign_in(api, user.username, "wrong", address=address()).status_code for _ in range(12)]
    assert 429 in statuses  # the limit of the account applies to many addresses together
    assert sign_in(api, user.username, user.password, address=home).status_code == 200


def test_address_that_tries_many_accounts_is_refused(api: httpx.Client, user: PlatformUser) -> None:
    here = address()
    statuses = [sign_in(api, f"name-{number}", "wrong", address=here).status_code for number in range(25)]
    assert 429 in statuses
    assert sign_in(api, user.username, user.password, address=address()).status_code == 200


def test_unknown_usernames_are_answered_and_limited_like_existing_ones(
    api: httpx.Client, user: PlatformUser
) -> None:
    def tries(name: str) -> list[tuple[int, str]]:
        here = address()
        answers = [sign_in(api, name, "wrong", address=here) for _ in range(7)]
        return [(answer.status_code, answer.json()["detail"].split(";")[0]) for answer in answers]

    assert tries(user.username) == tries(f"nobody-{uuid4().hex[:8]}")


def test_unknown_username_is_not_recorded_or_logged(
    served: ServedApi, api: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    slip = f"my-password-{uuid4().hex[:8]}"
    with caplog.at_level(logging.INFO):
        assert sign_in(api, slip, "x", address=address()).status_code == 401
    assert slip not in str(served.audit("sign_in_failed"))
    assert slip not in caplog.text


def test_sign_in_page_has_the_same_limit(served: ServedApi, user: PlatformUser) -> None:
    with local_client(served.url) as http:
        form = {**hidden_fields(http.get("/sign-in")), "username": user.username}
        answers = [http.post("/sign-in", data={**form, "password": "wrong"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert "wait" in answers[-1].text
    assert "Retry-After" in answers[-1].headers


def test_email_can_be_registered_twice_so_that_it_reveals_no_account(
    served: ServedApi,
) -> None:
    email = f"{uuid4().hex[:12]}@example.com"
    answers = [
        served.anonymous.post(
            "/auth/register/",
            json={"username": f"user-{uuid4().hex[:12]}", "email": email, "password": uuid4().hex},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
