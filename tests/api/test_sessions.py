"""Tests of sessions: refreshing, listing and ending them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from api.auth.roles import Role
from api.auth.sessions import COOKIE_SEPARATOR, open_api_session, open_browser_session
from api.problems import NotSignedIn
from api.runtime.client_address import RequestClient
from api.users import repository as accounts
from api.users.repository import Account
from tests.api.served_api import ServedApi
from tests.local_http import local_client
from tests.platform_user import PlatformUser
from warehouse.schema import database_roles

CLIENT = RequestClient("192.0.2.1", "a test")


def refresh(user: PlatformUser, token: str) -> httpx.Response:
    return user.http.post("/auth/refresh/", json={"refresh_token": token})


def me(user: PlatformUser, tokens: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return user.http.get("/auth/me/", headers=headers).status_code


def end_grace(served: ServedApi) -> None:
    """Make every used refresh token older than the grace period."""
    with served.engine(database_roles.USERS_OWNER).begin() as connection:
        connection.execute(text("UPDATE refresh_tokens SET used_at = used_at - interval '1 hour'"))


def test_refresh_returns_new_tokens_of_the_same_session(user: PlatformUser) -> None:
    first = user.sign_in()
    second = refresh(user, first["refresh_token"])

    assert second.status_code == httpx.codes.OK
    assert second.headers["Cache-Control"] == "no-store"
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert me(user, second.json()) == httpx.codes.OK
    assert len(user.http.get("/auth/sessions/").json()) == 2  # the fixture's, and this one


def test_reused_refresh_token_ends_the_session(served: ServedApi, user: PlatformUser) -> None:
    other = user.sign_in()
    first = user.sign_in()
    second = refresh(user, first["refresh_token"]).json()
    end_grace(served)
    assert refresh(user, first["refresh_token"]).status_code == httpx.codes.UNAUTHORIZED

    assert refresh(user, second["refresh_token"]).status_code == httpx.codes.UNAUTHORIZED
    assert me(user, first) == me(user, second) == httpx.codes.UNAUTHORIZED
    assert me(user, other) == httpx.codes.OK
    events = served.audit("refresh_token_reused")
    assert events[0]["actor"] == user.username


def test_reused_refresh_token_ends_the_session_once_its_successor_is_used(
    user: PlatformUser,
) -> None:
    first = user.sign_in()
    second = refresh(user, first["refresh_token"]).json()
    third = refresh(user, second["refresh_token"]).json()

    assert refresh(user, first["refresh_token"]).status_code == httpx.codes.UNAUTHORIZED
    assert me(user, third) == httpx.codes.UNAUTHORIZED


def test_concurrent_refreshes_with_one_token_get_the_same_new_token(user: PlatformUser) -> None:
    first = user.sign_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(user, first["refresh_token"]), range(8)))

    assert {answer.status_code for answer in answers} == {httpx.codes.OK}
    [following] = {answer.json()["refresh_token"] for answer in answers}
    assert all(me(user, answer.json()) == httpx.codes.OK for answer in answers)
    assert refresh(user, following).status_code == httpx.codes.OK


def test_access_and_refresh_tokens_are_not_interchangeable(user: PlatformUser) -> None:
    tokens = user.sign_in()
    assert refresh(user, tokens["access_token"]).status_code == httpx.codes.UNAUTHORIZED
    assert me(user, {"access_token": tokens["refresh_token"]}) == httpx.codes.UNAUTHORIZED


def test_each_session_is_listed_and_can_be_ended_alone(user: PlatformUser) -> None:
    mine = user.http.get("/auth/sessions/").json()
    other = user.http.post(
        "/auth/login/",
        json={"username": user.username, "password": user.password},
        headers={"User-Agent": "another program/1.0"},
    ).json()
    listed = user.http.get("/auth/sessions/").json()
    assert [each["current"] for each in listed] == [False, True]
    assert listed[0]["user_agent"] == "another program/1.0"
    assert listed[1]["id"] == mine[0]["id"]

    ended = user.http.delete(f"/auth/sessions/{listed[0]['id']}/")
    assert ended.status_code == httpx.codes.NO_CONTENT
    assert me(user, other) == httpx.codes.UNAUTHORIZED
    assert refresh(user, other["refresh_token"]).status_code == httpx.codes.UNAUTHORIZED
    assert user.http.get("/auth/sessions/").json() == [user.http.get("/auth/sessions/").json()[0]]
    assert user.http.delete(f"/auth/sessions/{listed[0]['id']}/").status_code == httpx.codes.NOT_FOUND


def test_user_cannot_end_the_session_of_another_user(served: ServedApi, user: PlatformUser) -> None:
    with served.signed_in() as other:
        [theirs] = other.http.get("/auth/sessions/").json()
        assert user.http.delete(f"/auth/sessions/{theirs['id']}/").status_code == httpx.codes.NOT_FOUND
        assert other.http.get("/auth/me/").status_code == httpx.codes.OK


def test_all_sessions_or_all_others_can_be_ended(user: PlatformUser) -> None:
    others = [user.http.post("/auth/login/", json=credentials(user)).json() for _ in range(3)]
    assert user.http.delete("/auth/sessions/", params={"keep_current": True}).status_code == 204
    assert {me(user, other) for other in others} == {401}
    assert user.http.get("/auth/me/").status_code == 200

    assert user.http.delete("/auth/sessions/").status_code == 204
    assert user.http.get("/auth/me/").status_code == 401


def credentials(user: PlatformUser) -> dict[str, str]:
    return {"username": user.username, "password": user.password}


def test_password_change_ends_other_sessions_and_the_old_password_fails(user: PlatformUser) -> None:
    other = user.http.post("/auth/login/", json=credentials(user)).json()
    new = uuid4().hex
    body = {"current_password": user.password, "new_password": new}
    assert user.http.post("/auth/password/", json=body).status_code == httpx.codes.NO_CONTENT

    assert me(user, other) == 401
    assert refresh(user, other["refresh_token"]).status_code == 401
    assert user.http.get("/auth/me/").status_code == 200
    assert user.http.post("/auth/login/", json=credentials(user)).status_code == 401
    user.password = new
    assert user.http.post("/auth/login/", json=credentials(user)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"current_password": "not this one"}, "current_password"),
        ({"new_password": "short"}, "new_password"),
        ({"new_password": "Password123"}, "new_password"),
        ({"new_password": "ș" * 37}, "new_password"),
    ],
)
def test_password_change_requires_the_old_password_and_an_acceptable_new_one(
    user: PlatformUser, changed: dict[str, str], field: str
) -> None:
    body = {"current_password": user.password, "new_password": uuid4().hex, **changed}
    answer = user.http.post("/auth/password/", json=body)

    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.json()["errors"][0]["field"] == field
    assert not any(value in answer.text for value in body.values())
    assert user.http.post("/auth/login/", json=credentials(user)).status_code == 200


@pytest.mark.parametrize("how", ["disabled", "deleted", "signed out"])
def test_disabled_deleted_or_signed_out_user_loses_all_sessions_immediately(
    served: ServedApi, user: PlatformUser, how: str
) -> None:
    key = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["companies:read"]}).json()["key"]
    sessions = [user.http.post("/auth/login/", json=credentials(user)).json() for _ in range(3)]
    user_id = user.http.get("/auth/me/").json()["id"]
    with local_client(served.url, headers={"X-API-Key": key}) as with_key:
        assert [me(user, each) for each in sessions] == [200] * 3
        assert with_key.get("/auth/me/").status_code == 200

        if how == "disabled":
            answer = served.admin.patch(f"/admin/users/{user_id}/", json={"disabled": True})
        elif how == "deleted":
            answer = served.admin.delete(f"/admin/users/{user_id}/")
        else:
            answer = served.admin.delete(f"/admin/users/{user_id}/sessions/")
        assert answer.is_success

        assert [me(user, each) for each in sessions] == [401] * 3
        assert {refresh(user, each["refresh_token"]).status_code for each in sessions} == {401}
        assert user.http.get("/auth/me/").status_code == 401
        keeps = how == "signed out"
        assert with_key.get("/auth/me/").status_code == (200 if keeps else 401)
        assert user.http.post("/auth/login/", json=credentials(user)).status_code == (200 if keeps else 401)


def test_role_change_applies_immediately_in_open_sessions(served: ServedApi, user: PlatformUser) -> None:
    assert user.http.post("/scrape/", json={}).status_code == 422
    served.set_role(user.username, Role.READONLY)
    assert user.http.post("/scrape/", json={}).status_code == 403
    assert user.http.get("/auth/verify").json()["role"] == "readonly"
    served.set_role(user.username, Role.STANDARD)
    assert user.http.post("/scrape/", json={}).status_code == 422


def test_verify_returns_the_caller_and_checks_the_scope(user: PlatformUser) -> None:
    answer = user.http.get("/auth/verify", params={"scope": "scrape"})
    assert answer.headers["X-Registru-User"] == answer.json()["username"] == user.username
    assert answer.headers["X-Registru-Role"] == answer.json()["role"] == "standard"
    assert user.http.get("/auth/verify", params={"scope": "users"}).status_code == 403
    assert user.http.get("/auth/verify", params={"scope": "nonsense"}).status_code == 422


@pytest.mark.parametrize("changed", [{"password_hash": "of the old password"}, {"id": uuid4()}])
def test_account_that_was_changed_during_the_sign_in_gets_no_session(
    served: ServedApi, user: PlatformUser, changed: dict[str, Any]
) -> None:
    checked = replace(_account(served, user), **changed)
    with pytest.raises(NotSignedIn, match="sign in again"):
        served.portal.call(open_api_session, served.harness.services, CLIENT, checked)


def test_account_that_was_disabled_during_the_sign_in_gets_no_session(
    served: ServedApi, user: PlatformUser
) -> None:
    account = _account(served, user)
    with served.engine(database_roles.USERS_OWNER).begin() as connection:
        connection.execute(
            text("UPDATE users SET disabled_at = now() WHERE username = :name"), {"name": user.username}
        )
    with pytest.raises(NotSignedIn, match="sign in again"):
        served.portal.call(open_api_session, served.harness.services, CLIENT, account)


def test_cookie_of_a_browser_session_signs_in_only_with_its_secret(
    served: ServedApi, user: PlatformUser
) -> None:
    open_session = partial(open_browser_session, lifetime=timedelta(hours=1))
    cookie = served.portal.call(open_session, served.harness.services.users, CLIENT, _account(served, user))

    def verified(value: str) -> int:
        headers = {"Cookie": f"registru_session={value}", "Sec-Fetch-Site": "same-origin"}
        return served.anonymous.get("/auth/verify", headers=headers).status_code

    session_id, _, secret = cookie.partition(COOKIE_SEPARATOR)
    assert verified(cookie) == 200
    assert verified(f"{session_id}{COOKIE_SEPARATOR}{secret[::-1]}") == 401
    assert verified(session_id) == 401


def _account(served: ServedApi, user: PlatformUser) -> Account:
    async def find() -> Account | None:
        async with served.harness.services.users.begin() as connection:
            return await accounts.find_by_username(connection, user.username)

    account = served.portal.call(find)
    assert account is not None
    return account
