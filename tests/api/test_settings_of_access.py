"""Tests of settings that change access: registration, rate limits, signing keys, hash cost, CORS."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from jose import jwt
from passlib.hash import bcrypt
from sqlalchemy import text

from api.auth.tokens import key_id
from tests.api.api_harness import CHEAPEST_BCRYPT
from tests.api.served_api import ServedApi
from tests.platform_user import PlatformUser
from warehouse.schema import database_roles


def test_closed_registration_refuses_everyone_but_admins_create_accounts(
    served: ServedApi, user: PlatformUser
) -> None:
    with served.another_api(registration="closed") as api:
        for username in (user.username, f"new-{uuid4().hex[:8]}"):
            account = {"username": username, "password": uuid4().hex}
            answer = api.post("/auth/register/", json=account)
            assert answer.status_code == 403
            assert "registration is closed" in answer.json()["detail"]
        headers = {"X-API-Key": served.admin.headers["X-API-Key"]}
        assert api.post("/admin/users/", json=account, headers=headers).status_code == 201


def test_registered_account_gets_the_configured_role(served: ServedApi) -> None:
    with served.another_api(registration_role="readonly") as api:
        account = {"username": f"new-{uuid4().hex[:8]}", "password": uuid4().hex}
        assert api.post("/auth/register/", json=account).json()["role"] == "readonly"


def test_rate_limit_of_a_user_does_not_affect_others(served: ServedApi, user: PlatformUser) -> None:
    with served.another_api(limit_caller="5/minute") as api, served.signed_in() as other:
        mine = {"Authorization": user.http.headers["Authorization"]}
        answers = [api.get("/auth/me/", headers=mine) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        remaining = [answer.headers["RateLimit-Remaining"] for answer in answers]
        assert remaining == ["4", "3", "2", "1", "0", "0", "0"]
        assert answers[0].headers["RateLimit-Limit"] == "5"
        assert answers[0].headers["RateLimit-Policy"] == "5;w=60"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert answers[-1].headers["Content-Type"] == "application/problem+json"

        # The user's API key and other users have separate counts.
        made = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"]}).json()
        assert api.get("/auth/me/", headers={"X-API-Key": made["key"]}).status_code == 200
        theirs = {"Authorization": other.http.headers["Authorization"]}
        assert api.get("/auth/me/", headers=theirs).status_code == 200


def test_rate_limit_of_an_address_applies_with_and_without_credentials(
    served: ServedApi, user: PlatformUser
) -> None:
    with served.another_api(limit_address="5/minute") as api:
        here = {"X-Forwarded-For": "10.99.0.1"}
        statuses = [api.get("/auth/me/", headers=here).status_code for _ in range(6)]
        assert statuses == [401] * 5 + [429]
        mine = {"Authorization": user.http.headers["Authorization"]}
        assert api.get("/auth/me/", headers={**here, **mine}).status_code == 429
        assert api.get("/auth/me/", headers={"X-Forwarded-For": "10.99.0.2", **mine}).status_code == 200
        # An IPv6 /64 network counts as one address; health checks are never refused.
        six = [f"2001:db8:1:1::{number:x}" for number in range(1, 7)]
        statuses = [api.get("/auth/me/", headers={"X-Forwarded-For": each}).status_code for each in six]
        assert statuses == [401] * 5 + [429]
        assert api.get("/health/", headers=here).status_code == 200


def test_registrations_from_one_address_are_limited(served: ServedApi) -> None:
    with served.another_api(limit_registrations="2/minute") as api:
        here = {"X-Forwarded-For": "10.97.0.1"}
        statuses = [
            api.post(
                "/auth/register/",
                json={"username": f"new-{uuid4().hex[:8]}", "password": uuid4().hex},
                headers=here,
            ).status_code
            for _ in range(3)
        ]
    assert statuses == [201, 201, 429]


def test_sign_in_rehashes_the_password_if_the_cost_has_grown(served: ServedApi, user: PlatformUser) -> None:
    def cost() -> int:
        with served.engine(database_roles.API).begin() as connection:
            query = text("SELECT password_hash FROM users WHERE username = :name")
            stored = connection.execute(query, {"name": user.username}).scalar_one()
        return int(bcrypt.from_string(stored).rounds)

    credentials = {"username": user.username, "password": user.password}
    assert cost() == CHEAPEST_BCRYPT
    with served.another_api(bcrypt_cost=CHEAPEST_BCRYPT + 1) as api:
        assert api.post("/auth/login/", json={**credentials, "password": "wrong"}).status_code == 401
        assert cost() == CHEAPEST_BCRYPT
        assert api.post("/auth/login/", json=credentials).status_code == 200
        assert cost() == CHEAPEST_BCRYPT + 1
    assert user.http.post("/auth/login/", json=credentials).status_code == 200
    assert cost() == CHEAPEST_BCRYPT + 1
    assert user.http.get("/auth/me/").status_code == 200


def test_tokens_of_a_retired_key_are_valid_only_until_they_expire(
    served: ServedApi, user: PlatformUser
) -> None:
    old = served.signing_key
    mine = {"Authorization": user.http.headers["Authorization"]}
    tokens = user.sign_in()
    new, retired_at = uuid4().hex + uuid4().hex, datetime.now(UTC) + timedelta(seconds=1)
    retired = [{"secret": old, "retired_at": retired_at}]
    with served.another_api(jwt_secret=new, jwt_retired_secrets=retired) as api:
        assert api.get("/auth/me/", headers=mine).status_code == 200
        following = api.post("/auth/refresh/", json={"refresh_token": tokens["refresh_token"]}).json()
        assert jwt.get_unverified_header(following["access_token"])["kid"] == key_id(new)
        bearer = {"Authorization": f"Bearer {following['access_token']}"}
        assert api.get("/auth/me/", headers=bearer).status_code == 200

        # A stolen old key signs no token that is accepted.
        claims = jwt.get_unverified_claims(following["access_token"])
        for forged in (
            claims | {"iat": int((retired_at + timedelta(seconds=5)).timestamp())},
            claims | {"exp": claims["iat"] + 365 * 24 * 3600},
        ):
            token = jwt.encode(forged, old, algorithm="HS256", headers={"kid": key_id(old)})
            assert api.get("/auth/me/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    with served.another_api(jwt_secret=new) as api:
        assert api.get("/auth/me/", headers=mine).status_code == 401


def test_only_configured_origins_may_call_the_api_from_scripts(served: ServedApi, user: PlatformUser) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    for path in ("/auth/me/", "/companies/1020999000019/"):
        assert "Access-Control-Allow-Origin" not in user.http.options(path, headers=asked).headers
        assert "Access-Control-Allow-Origin" not in user.http.get(path, headers=asked).headers
    with served.another_api(cors_origins=["https://app.example"]) as api:
        allowed = api.options("/auth/me/", headers=asked)
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "Access-Control-Allow-Credentials" not in allowed.headers
        asked["Origin"] = "https://evil.example"
        assert "Access-Control-Allow-Origin" not in api.options("/auth/me/", headers=asked).headers
