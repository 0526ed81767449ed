"""Tests of API keys: creation, scopes, expiry, revocation."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.auth.roles import Role
from tests.api.served_api import ServedApi
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles


def make_key(user: PlatformUser, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = user.http.post("/auth/keys/", json={"name": "a machine", "scopes": list(scopes), **more})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    made: dict[str, Any] = answer.json()
    return made


def get(served: ServedApi, path: str, **headers: str) -> httpx.Response:
    return served.anonymous.get(path, headers=headers)


def test_api_key_works_in_both_headers_and_is_shown_only_once(served: ServedApi, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    for headers in ({"X-API-Key": made["key"]}, {"Authorization": f"Bearer {made['key']}"}):
        assert get(served, "/auth/me/", **headers).json()["username"] == user.username

    [listed] = user.http.get("/auth/keys/").json()
    assert "key" not in listed
    assert listed["prefix"] in made["key"]
    assert listed["last_used_at"] is not None


def test_api_key_allows_only_its_scopes(served: ServedApi, user: PlatformUser) -> None:
    key = make_key(user, "companies:read")["key"]
    assert get(served, "/companies/1020999000019/", **{"X-API-Key": key}).status_code in (200, 404)
    post = served.anonymous.post("/scrape/", json={}, headers={"X-API-Key": key})
    assert post.status_code == 403
    assert "this API key" in post.json()["detail"]
    for path in ("/auth/sessions/", "/auth/keys/", "/admin/users/"):
        assert get(served, path, **{"X-API-Key": key}).status_code == 403


def test_api_key_loses_scopes_that_its_owner_loses(served: ServedApi, user: PlatformUser) -> None:
    key = make_key(user, "scrape", "companies:read")["key"]
    served.set_role(user.username, Role.READONLY)
    assert get(served, "/auth/verify?scope=scrape", **{"X-API-Key": key}).status_code == 403
    assert get(served, "/auth/verify?scope=companies:read", **{"X-API-Key": key}).status_code == 200


def test_revoked_api_key_is_refused_immediately(served: ServedApi, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    assert get(served, "/auth/me/", **{"X-API-Key": made["key"]}).status_code == 200
    assert user.http.delete(f"/auth/keys/{made['id']}/").status_code == 204

    assert get(served, "/auth/me/", **{"X-API-Key": made["key"]}).status_code == 401
    assert user.http.get("/auth/keys/").json() == []
    assert user.http.delete(f"/auth/keys/{made['id']}/").status_code == 404


def test_api_key_is_refused_after_it_expires(served: ServedApi, user: PlatformUser) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=1)
    key = make_key(user, "companies:read", expires_at=ends.isoformat())["key"]
    answers = []

    def refused() -> bool:
        answers.append(get(served, "/auth/me/", **{"X-API-Key": key}).status_code)
        return answers[-1] == 401

    wait_for("the key's end", refused, pause_seconds=0.02)
    assert datetime.now(UTC) >= ends
    assert set(answers[:-1]) <= {200}


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"scopes": ["account"]}, 422, "scopes"),
        ({"scopes": []}, 422, "scopes"),
        ({"scopes": ["everything"]}, 422, "scopes.0"),
        ({"scopes": ["users"]}, 403, None),
        ({"name": "\u0000"}, 422, "name"),
        ({"name": "x" * 101}, 422, "name"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, 422, "expires_at"),
    ],
)
def test_invalid_new_api_key_is_refused_with_the_field(
    user: PlatformUser, changed: dict[str, Any], status: int, field: str | None
) -> None:
    answer = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"], **changed})
    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "key", ["rk_", "rk_x_y", "rk_aaaaaaaaaaaa_", "rk_aaaaaaaaaaaa_wrong", "nonsense", "rk_" + "a" * 5000]
)
def test_malformed_or_wrong_api_key_is_refused(served: ServedApi, user: PlatformUser, key: str) -> None:
    prefix = make_key(user, "companies:read")["prefix"]
    for value in (key, key.replace("a" * 12, prefix)):
        answer = get(served, "/auth/me/", **{"X-API-Key": value})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_user_cannot_revoke_the_api_key_of_another_user(served: ServedApi, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    with served.signed_in() as other:
        assert other.http.delete(f"/auth/keys/{made['id']}/").status_code == 404
    assert get(served, "/auth/me/", **{"X-API-Key": made["key"]}).status_code == 200


def test_only_the_hash_of_an_api_key_is_stored(served: ServedApi, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    with served.engine(database_roles.API).begin() as connection:
        query = text("SELECT key_hash FROM api_keys WHERE id = :id")
        stored = connection.execute(query, {"id": made["id"]}).scalar_one()
    assert len(stored) == 64
    assert stored not in made["key"]
