"""Tests of authorization: every route with every role, in the answers and in the OpenAPI document."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jose import jwt

from api.auth.roles import Role
from standin.site_facts import make_idno
from tests.api.served_api import ServedApi
from tests.local_http import local_client
from tests.platform_user import PlatformUser

ADMIN, STANDARD, READONLY = Role.ADMIN, Role.STANDARD, Role.READONLY
EVERYONE = {ADMIN, STANDARD, READONLY}
NOBODY_IN_PARTICULAR = {*EVERYONE, None}

TABLE: dict[tuple[str, str], set[Any]] = {
    ("GET", "/"): NOBODY_IN_PARTICULAR,
    ("GET", "/health/"): NOBODY_IN_PARTICULAR,
    ("GET", "/health/live"): NOBODY_IN_PARTICULAR,
    ("GET", "/health/ready"): NOBODY_IN_PARTICULAR,
    ("POST", "/auth/register/"): NOBODY_IN_PARTICULAR,
    ("POST", "/auth/login/"): NOBODY_IN_PARTICULAR,
    ("POST", "/auth/token"): NOBODY_IN_PARTICULAR,
    ("POST", "/auth/refresh/"): NOBODY_IN_PARTICULAR,
    ("POST", "/auth/logout/"): EVERYONE,
    ("GET", "/auth/me/"): EVERYONE,
    ("GET", "/auth/verify"): EVERYONE,
    ("POST", "/auth/password/"): EVERYONE,
    ("GET", "/auth/sessions/"): EVERYONE,
    ("DELETE", "/auth/sessions/"): EVERYONE,
    ("DELETE", "/auth/sessions/{session_id}/"): EVERYONE,
    ("GET", "/auth/keys/"): EVERYONE,
    ("POST", "/auth/keys/"): EVERYONE,
    ("DELETE", "/auth/keys/{key_id}/"): EVERYONE,
    ("GET", "/companies/"): EVERYONE,
    ("GET", "/companies/{idno}/"): EVERYONE,
    ("GET", "/companies/{idno}/changes/"): EVERYONE,
    ("GET", "/companies/{idno}/provenance/"): EVERYONE,
    ("GET", "/companies/{idno}/statements/"): EVERYONE,
    ("GET", "/companies/{idno}/statements/{year}/"): EVERYONE,
    ("POST", "/scrape/"): {ADMIN, STANDARD},
    ("GET", "/scrape/{run_id}/"): {ADMIN, STANDARD},
    ("DELETE", "/scrape/{run_id}/"): {ADMIN, STANDARD},
    ("GET", "/scrape/{run_id}/events"): {ADMIN, STANDARD},
    ("POST", "/scrape/batch/"): {ADMIN, STANDARD},
    ("GET", "/scrape/batch/{batch_id}/"): {ADMIN, STANDARD},
    ("DELETE", "/scrape/batch/{batch_id}/"): {ADMIN, STANDARD},
    ("GET", "/scrape/batch/{batch_id}/events"): {ADMIN, STANDARD},
    ("GET", "/admin/users/"): {ADMIN},
    ("POST", "/admin/users/"): {ADMIN},
    ("GET", "/admin/users/{user_id}/"): {ADMIN},
    ("PATCH", "/admin/users/{user_id}/"): {ADMIN},
    ("DELETE", "/admin/users/{user_id}/"): {ADMIN},
    ("DELETE", "/admin/users/{user_id}/sessions/"): {ADMIN},
    ("GET", "/admin/audit/"): {ADMIN},
    ("GET", "/quarantine/"): {ADMIN},
}
ENDS_THE_SESSION = {("POST", "/auth/logout/"), ("DELETE", "/auth/sessions/")}


@pytest.fixture(scope="module")
def users(served: ServedApi) -> Iterator[dict[Role | None, httpx.Client]]:
    """A client for each role, and one without credentials."""
    with (
        served.signed_in_as(ADMIN) as admin,
        served.signed_in_as(STANDARD) as standard,
        served.signed_in_as(READONLY) as readonly,
        local_client(served.url) as anonymous,
    ):
        yield {ADMIN: admin.http, STANDARD: standard.http, READONLY: readonly.http, None: anonymous}


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize(("method", "path"), sorted(set(TABLE) - ENDS_THE_SESSION))
def test_route_admits_exactly_the_roles_of_the_table(
    users: dict[Role | None, httpx.Client], method: str, path: str, role: Role | None
) -> None:
    # Unknown resources and invalid bodies: an admitted caller gets 404 or 422, and nothing changes.
    filled = path.format(
        session_id=uuid4(),
        key_id=uuid4(),
        user_id=uuid4(),
        run_id="x",
        batch_id=uuid4(),
        idno="1020999000019",
        year=2023,
    )
    body = {"content": b"{}"} if method in ("POST", "PATCH") else {}
    headers = {"Content-Type": "application/json"}
    answer = users[role].request(method, filled, headers=headers, **body)  # type: ignore[arg-type]

    if role in TABLE[method, path]:
        assert answer.status_code in (200, 404, 422), answer.text
    else:
        assert answer.status_code == (401 if role is None else 403), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_openapi_document_lists_the_same_routes_and_roles(served: ServedApi) -> None:
    document = served.anonymous.get("/openapi.json").json()
    documented = {
        (method.upper(), path): set(operation["x-roles"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    expected = {
        route: {"anyone"} if None in allowed else {str(role) for role in allowed}
        for route, allowed in TABLE.items()
    }
    assert documented == expected


def test_access_token_contains_the_role(served: ServedApi) -> None:
    for role in Role:
        with served.signed_in_as(role) as user:
            claims = jwt.get_unverified_claims(user.sign_in()["access_token"])
            assert claims["role"] == role
            assert set(claims) == {"sub", "jti", "sid", "iat", "exp", "typ", "role"}


def id_of(user: PlatformUser) -> str:
    return str(user.http.get("/auth/me/").json()["id"])


def test_admin_searches_accounts_by_name_email_and_role(served: ServedApi, user: PlatformUser) -> None:
    found = served.admin.get("/admin/users/", params={"q": user.username[3:].upper()}).json()
    assert [each["username"] for each in found["users"]] == [user.username]
    assert found["total"] == 1
    for q in ("%", "_", "\\", "nobody has this"):
        assert served.admin.get("/admin/users/", params={"q": q}).json()["users"] == []
    admins = served.admin.get("/admin/users/", params={"role": "admin"}).json()["users"]
    assert "boss" in {each["username"] for each in admins}
    assert {each["role"] for each in admins} == {"admin"}
    page = served.admin.get("/admin/users/", params={"limit": 1, "offset": 1}).json()
    assert len(page["users"]) == 1
    assert page["total"] > 1
    assert "password" not in str(page)


def test_admin_creates_an_account_for_another_person(served: ServedApi) -> None:
    account = {"username": f"made-{uuid4().hex[:8]}", "password": uuid4().hex, "role": "readonly"}
    made = served.admin.post("/admin/users/", json=account)
    assert made.status_code == 201
    assert made.json()["role"] == "readonly"
    assert served.admin.post("/admin/users/", json=account).status_code == 409
    credentials = {key: account[key] for key in ("username", "password")}
    signed_in = served.anonymous.post("/auth/login/", json=credentials)
    assert signed_in.status_code == 200


def test_enabled_account_can_sign_in_but_its_old_sessions_stay_ended(
    served: ServedApi, user: PlatformUser
) -> None:
    user_id = id_of(user)
    assert served.admin.patch(f"/admin/users/{user_id}/", json={"disabled": True}).json()["disabled_at"]
    assert user.http.get("/auth/me/").status_code == 401
    enabled = served.admin.patch(f"/admin/users/{user_id}/", json={"disabled": False})
    assert enabled.json()["disabled_at"] is None
    assert user.http.get("/auth/me/").status_code == 401
    user.sign_in()
    assert user.http.get("/auth/me/").status_code == 200


def test_admin_sets_a_new_password_for_an_account(served: ServedApi, user: PlatformUser) -> None:
    new = uuid4().hex
    path = f"/admin/users/{id_of(user)}/"
    assert served.admin.patch(path, json={"password": "password123"}).status_code == 422
    assert user.http.get("/auth/me/").status_code == 200
    assert served.admin.patch(path, json={"password": new}).status_code == 200

    assert user.http.get("/auth/me/").status_code == 401
    old = {"username": user.username, "password": user.password}
    assert user.http.post("/auth/login/", json=old).status_code == 401
    user.password = new
    user.sign_in()
    assert user.http.get("/auth/me/").status_code == 200


def test_user_cannot_become_admin_without_an_admin(served: ServedApi, user: PlatformUser) -> None:
    user_id = id_of(user)
    assert user.http.patch(f"/admin/users/{user_id}/", json={"role": "admin"}).status_code == 403
    account = {"username": f"new-{uuid4().hex[:8]}", "password": uuid4().hex, "role": "admin"}
    assert served.anonymous.post("/auth/register/", json=account).status_code == 422


def test_run_is_visible_only_to_its_requester_and_to_admins(served: ServedApi, user: PlatformUser) -> None:
    run_id = user.ask(make_idno(7300)).json()["run_id"]
    with served.signed_in() as stranger:
        assert stranger.http.get(f"/scrape/{run_id}/").status_code == 404
    for http in (user.http, served.admin):
        assert http.get(f"/scrape/{run_id}/").status_code == 200
