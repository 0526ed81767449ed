"""Tests of admin accounts, `create_admin` and the audit log."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api import create_admin
from api.auth.roles import Role
from tests.api.api_harness import CHEAPEST_BCRYPT
from tests.api.served_api import ServedApi
from tests.platform_user import PlatformUser
from warehouse.schema import database_roles


def admins(served: ServedApi) -> dict[str, str]:
    """Return the ids of the enabled admins by username."""
    found = served.admin.get("/admin/users/", params={"role": "admin", "limit": 200}).json()["users"]
    return {each["username"]: each["id"] for each in found if each["disabled_at"] is None}


def test_last_admin_cannot_be_demoted_disabled_or_deleted(served: ServedApi) -> None:
    for username, user_id in admins(served).items():
        if username != "boss":
            assert served.admin.patch(f"/admin/users/{user_id}/", json={"role": "standard"}).is_success
    path = f"/admin/users/{admins(served)['boss']}/"
    for change in ({"role": "standard"}, {"role": "readonly"}, {"disabled": True}):
        answer = served.admin.patch(path, json=change)
        assert answer.status_code == 409
        assert "last admin" in answer.json()["detail"]
    assert served.admin.delete(path).status_code == 409
    assert list(admins(served)) == ["boss"]


def test_two_admins_who_demote_each_other_concurrently_leave_one_admin(served: ServedApi) -> None:
    with served.signed_in_as(Role.ADMIN) as one, served.signed_in_as(Role.ADMIN) as two:
        for username, user_id in admins(served).items():
            if username not in (one.username, two.username, "boss"):
                served.admin.patch(f"/admin/users/{user_id}/", json={"role": "standard"})
        ids = admins(served)
        boss = ids["boss"]
        # The tests' own admin is demoted, so that these two are the last.
        assert one.http.patch(f"/admin/users/{boss}/", json={"role": "standard"}).is_success
        try:
            with ThreadPoolExecutor(2) as pool:
                answers = list(
                    pool.map(
                        lambda pair: pair[0].http.patch(
                            f"/admin/users/{ids[pair[1].username]}/", json={"role": "standard"}
                        ),
                        ((one, two), (two, one)),
                    )
                )
            # The later request is refused: its subject is the last admin, or its sender is no longer an admin.
            assert sorted(answer.status_code for answer in answers)[0] == 200
            assert sorted(answer.status_code for answer in answers)[1] in (403, 409)
        finally:
            with served.engine(
                database_roles.USERS_OWNER, database_roles.USERS_DATABASE
            ).begin() as connection:
                left = connection.execute(text("SELECT username FROM users WHERE role = 'admin'"))
                names = set(left.scalars())
            keeper = one if one.username in names else two
            assert keeper.http.patch(f"/admin/users/{boss}/", json={"role": "admin"}).is_success
        assert len(names) == 1


@pytest.mark.parametrize(
    ("username", "password", "reason"),
    [
        ("boss", "a good long one indeed", "the account boss already exists"),
        ("a b", "a good long one indeed", "username"),
        ("chief", "password123", "password: is one of the most common passwords"),
        ("chief", "short", "password: has 5 characters"),
    ],
)
def test_create_admin_names_the_invalid_value_and_not_the_password(
    served: ServedApi, monkeypatch: pytest.MonkeyPatch, username: str, password: str, reason: str
) -> None:
    assert served.admin
    monkeypatch.setenv("REGISTRU_USERS_URL", served.settings.users_url)
    monkeypatch.setenv("REGISTRU_BCRYPT_COST", str(CHEAPEST_BCRYPT))
    monkeypatch.setattr("sys.stdin", StringIO(f"{password}\n"))
    with pytest.raises(SystemExit) as refused:
        create_admin.main(["--username", username, "--password-stdin"])
    assert reason in str(refused.value)
    assert password not in str(refused.value)


def test_audit_log_records_actor_event_subject_and_client(served: ServedApi, user: PlatformUser) -> None:
    user_id = user.http.get("/auth/me/").json()["id"]
    agent = {"User-Agent": "curl/8 <script>"}
    wrong = {"username": user.username, "password": "wrong"}
    user.http.post("/auth/login/", json=wrong, headers=agent)
    user.http.get("/admin/users/")
    user.http.get("/auth/me/", headers={"Authorization": "Bearer x.y.z"})
    key = user.http.post("/auth/keys/", json={"name": "k", "scopes": ["scrape"]}).json()
    served.anonymous.get("/auth/me/", headers={"X-API-Key": key["key"]})
    user.http.delete(f"/auth/keys/{key['id']}/")
    served.set_role(user.username, Role.READONLY)
    user.http.post("/auth/logout/")
    served.admin.patch(f"/admin/users/{user_id}/", json={"disabled": True})
    served.admin.delete(f"/admin/users/{user_id}/")

    page = served.admin.get("/admin/audit/", params={"user_id": user_id}).json()
    entries = page["entries"]
    assert [each["event"] for each in reversed(entries)] == [
        "registered",
        "signed_in",
        "sign_in_failed",
        "access_refused",
        "key_created",
        "key_used",
        "key_revoked",
        "role_changed",
        "signed_out",
        "disabled",
        "user_deleted",
    ]
    by_event = {each["event"]: each for each in entries}
    assert by_event["sign_in_failed"]["user_agent"] == "curl/8 <script>"
    assert by_event["role_changed"]["actor"] == "boss"
    assert by_event["role_changed"]["subject"] == user.username
    assert by_event["role_changed"]["detail"] == "from standard to readonly"
    assert by_event["access_refused"]["detail"] == "GET /admin/users/ needs users"
    assert {each["address"] for each in entries} == {"127.0.0.1"}
    assert served.audit("credentials_refused")


def test_audit_log_is_paginated(served: ServedApi, user: PlatformUser) -> None:
    for _ in range(3):
        user.sign_in()
    params: dict[str, str | int] = {"event": "signed_in", "limit": 2}
    first = served.admin.get("/admin/audit/", params=params).json()
    second = served.admin.get("/admin/audit/", params={**params, "before": first["next"]}).json()
    ids = [each["id"] for each in (*first["entries"], *second["entries"])]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 4


@pytest.mark.parametrize("role", [database_roles.API, database_roles.USERS_OWNER])
@pytest.mark.parametrize(
    "statement", ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
def test_audit_log_cannot_be_changed(served: ServedApi, role: str, statement: str) -> None:
    with (
        pytest.raises(DBAPIError, match=r"append-only|permission denied"),
        served.engine(role).begin() as connection,
    ):
        connection.execute(text(statement))
