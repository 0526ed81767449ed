"""API keys: shown once, scoped, expiring, revocable."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from api.auth.roles import Role
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for
from warehouse.schema import database_roles


def make_key(user: PlatformUser, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = user.http.post("/auth/keys/", json={"name": "a machine", "scopes": list(scopes), **more})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    made: dict[str, Any] = answer.json()
    return made


def get(platform: Platform, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{platform.url}{path}", headers=headers, trust_env=False)


def test_a_key_signs_in_by_either_header_and_is_shown_once(platform: Platform, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    for headers in ({"X-API-Key": made["key"]}, {"Authorization": f"Bearer {made['key']}"}):
        assert get(platform, "/auth/me/", **headers).json()["username"] == user.username

    [listed] = user.http.get("/auth/keys/").json()
    assert "key" not in listed
    assert listed["prefix"] in made["key"]
    assert listed["last_used_at"] is not None


def test_a_key_does_only_what_its_scopes_say(platform: Platform, user: PlatformUser) -> None:
    key = make_key(user, "companies:read")["key"]
    assert get(platform, "/companies/1020999000019/", **{"X-API-Key": key}).status_code in (200, 404)
    post = httpx.post(f"{platform.url}/scrape/", json={}, headers={"X-API-Key": key}, trust_env=False)
    assert post.status_code == 403
    assert "this API key" in post.json()["detail"]
    for path in ("/auth/sessions/", "/auth/keys/", "/admin/users/"):
        assert get(platform, path, **{"X-API-Key": key}).status_code == 403


def test_a_key_of_a_full_user_with_the_reading_scope_gets_the_reading_dagster(
    platform: Platform, user: PlatformUser
) -> None:
    query = {"query": "{ permissions { permission value } }"}
    for scopes, may in ((["dagster:read"], False), (["dagster:read", "dagster"], True)):
        key = make_key(user, *scopes)["key"]
        answer = httpx.post(
            f"{platform.url}/dagster/graphql", json=query, headers={"X-API-Key": key}, trust_env=False
        )
        granted = {each["permission"]: each["value"] for each in answer.json()["data"]["permissions"]}
        assert granted["launch_pipeline_execution"] is may


def test_a_key_never_does_more_than_its_owner_may_now(platform: Platform, user: PlatformUser) -> None:
    key = make_key(user, "scrape", "companies:read")["key"]
    platform.set_role(user.username, Role.READONLY)
    assert get(platform, "/auth/verify?scope=scrape", **{"X-API-Key": key}).status_code == 403
    assert get(platform, "/auth/verify?scope=companies:read", **{"X-API-Key": key}).status_code == 200


def test_a_revoked_key_is_out_at_once(platform: Platform, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    assert get(platform, "/auth/me/", **{"X-API-Key": made["key"]}).status_code == 200
    assert user.http.delete(f"/auth/keys/{made['id']}/").status_code == 204

    assert get(platform, "/auth/me/", **{"X-API-Key": made["key"]}).status_code == 401
    assert user.http.get("/auth/keys/").json() == []
    assert user.http.delete(f"/auth/keys/{made['id']}/").status_code == 404


def test_a_key_ends_when_it_was_said_to(platform: Platform, user: PlatformUser) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    key = make_key(user, "companies:read", expires_at=ends.isoformat())["key"]
    assert get(platform, "/auth/me/", **{"X-API-Key": key}).status_code == 200

    def refused() -> bool | None:
        return get(platform, "/auth/me/", **{"X-API-Key": key}).status_code == 401 or None

    wait_for("the key's end", refused, seconds=10)
    assert datetime.now(UTC) >= ends


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
def test_a_key_that_cannot_be_is_refused_with_the_reason(
    user: PlatformUser, changed: dict[str, Any], status: int, field: str | None
) -> None:
    answer = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"], **changed})
    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "key", ["rk_", "rk_x_y", "rk_aaaaaaaaaaaa_", "rk_aaaaaaaaaaaa_wrong", "nonsense", "rk_" + "a" * 5000]
)
def test_what_is_no_key_opens_nothing(platform: Platform, user: PlatformUser, key: str) -> None:
    prefix = make_key(user, "companies:read")["prefix"]
    for value in (key, key.replace("a" * 12, prefix)):
        answer = get(platform, "/auth/me/", **{"X-API-Key": value})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_nobody_revokes_somebody_elses_key(platform: Platform, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    with platform.signed_in() as other:
        assert other.http.delete(f"/auth/keys/{made['id']}/").status_code == 404
    assert get(platform, "/auth/me/", **{"X-API-Key": made["key"]}).status_code == 200


def test_only_a_hash_of_a_key_is_stored(platform: Platform, user: PlatformUser) -> None:
    made = make_key(user, "companies:read")
    with platform.engine(database_roles.API, database_roles.USERS_DATABASE).begin() as connection:
        query = text("SELECT key_hash FROM api_keys WHERE id = :id")
        stored = connection.execute(query, {"id": made["id"]}).scalar_one()
    assert len(stored) == 64
    assert stored not in made["key"]
