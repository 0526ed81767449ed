"""Tests of registration, sign-in, sign-out, and of forged and expired tokens."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jose import jwt

from api.auth.tokens import key_id
from tests.api.served_api import ServedApi
from tests.local_http import local_client
from tests.platform_user import PlatformUser

PROTECTED = [
    ("GET", "/auth/me/"),
    ("POST", "/auth/logout/"),
    ("POST", "/scrape/"),
    ("GET", "/scrape/x/"),
    ("GET", "/companies/1020999000019/"),
    ("GET", "/auth/verify"),
    ("GET", "/admin/users/"),
]


def _claims(user: PlatformUser) -> dict[str, Any]:
    token = user.http.headers["Authorization"].split()[1]
    return dict(jwt.get_unverified_claims(token))


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _unsigned(claims: dict[str, Any], kid: str) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{_part(claims)}."


@pytest.fixture(scope="module")
def bad_tokens(served: ServedApi) -> dict[str, str]:
    key = served.signing_key
    with served.signed_in() as user, served.signed_in() as gone:
        claims = _claims(user)
        good = user.http.headers["Authorization"].split()[1]
        signed_out = gone.http.headers["Authorization"].split()[1]
        assert gone.http.post("/auth/logout/").status_code == httpx.codes.NO_CONTENT
    header, payload, signature = good.split(".")
    past = datetime.now(UTC) - timedelta(minutes=1)

    def signed(by: str = key, algorithm: str = "HS256", kid: str | None = None, **changed: Any) -> str:
        """Sign a token like the API does, with some claims changed; a claim that is None is omitted."""
        content = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        named = {"kid": kid or key_id(key)}
        return str(jwt.encode(content, by, algorithm=algorithm, headers=named))

    another = "another key of some length, made up here"
    assert verify(served, signed()) == httpx.codes.OK  # only the changes below make it invalid
    return {
        "nonsense": "nonsense",
        "deeply nested": base64.urlsafe_b64encode(b"[" * 1_200).decode() + ".e30.x",
        "endless": "x" * 5_000,
        "unsigned": _unsigned(claims, key_id(key)),
        "signed by another key": signed(another),
        "signed by another key that it names": signed(another, kid=key_id(another)),
        "naming no key": str(jwt.encode(claims, key, algorithm="HS256")),
        "another algorithm": signed(algorithm="HS512"),
        "expired": signed(exp=past),
        "without an expiry": signed(exp=None),
        "without a session": signed(sid=None),
        "of another type": signed(typ="refresh"),
        "without a type": signed(typ=None),
        "of another user": signed(sub=str(uuid4())),
        "of nobody": signed(sub="x"),
        "of a session that never was": signed(sid=str(uuid4())),
        "of a session that is no id": signed(sid="x"),
        "tampered with": f"{header}.{payload[:-2]}AA.{signature}",
        "with another role, tampered with": f"{header}.{_part({**claims, 'role': 'admin'})}.{signature}",
        "signed out": signed_out,
    }


def verify(served: ServedApi, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return served.anonymous.get("/auth/verify", headers=headers).status_code


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_missing_and_invalid_tokens_are_refused_by_every_endpoint(
    served: ServedApi, bad_tokens: dict[str, str], method: str, path: str
) -> None:
    with local_client(served.url) as http:
        bodies = {"json": {"idno": "1020999000019"}} if path == "/scrape/" else {}
        answers = {"none": http.request(method, path, **bodies)}  # type: ignore[arg-type]
        for why, token in bad_tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            answers[why] = http.request(method, path, headers=headers, **bodies)  # type: ignore[arg-type]

    assert {why: answer.status_code for why, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert {answer.headers["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    assert {answer.headers["Content-Type"] for answer in answers.values()} == {"application/problem+json"}


def test_access_token_is_valid_for_half_an_hour(user: PlatformUser) -> None:
    answer = user.http.post("/auth/login/", json={"username": user.username, "password": user.password})

    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 1800
    claims = jwt.get_unverified_claims(answer.json()["access_token"])
    assert claims["exp"] - claims["iat"] == 1800
    assert abs(claims["exp"] - time.time() - 1800) < 60


def test_oauth2_password_form_signs_in(user: PlatformUser) -> None:
    form = {"username": user.username, "password": user.password, "grant_type": "password"}
    token = user.http.post("/auth/token", data=form).json()["access_token"]

    answer = user.http.get("/auth/me/", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["username"] == user.username


def test_sign_out_ends_only_the_current_session(user: PlatformUser) -> None:
    credentials = {"username": user.username, "password": user.password}
    other = user.http.post("/auth/login/", json=credentials).json()["access_token"]
    headers = {"Authorization": f"Bearer {other}"}
    assert user.http.post("/auth/logout/", headers=headers).status_code == httpx.codes.NO_CONTENT

    assert user.http.get("/auth/me/", headers=headers).status_code == httpx.codes.UNAUTHORIZED
    assert user.http.get("/auth/me/").status_code == httpx.codes.OK


def test_unknown_username_and_wrong_password_get_the_same_answer(user: PlatformUser) -> None:
    user.http.headers["X-Request-ID"] = "the-same"  # errors contain the request id, so it has to be the same
    unknown = user.http.post("/auth/login/", json={"username": "nobody-here", "password": user.password})
    wrong = user.http.post("/auth/login/", json={"username": user.username, "password": "not this one"})
    endless = user.http.post("/auth/login/", json={"username": user.username, "password": "x" * 200})

    assert unknown.status_code == wrong.status_code == endless.status_code == httpx.codes.UNAUTHORIZED
    assert unknown.json() == wrong.json() == endless.json()


def test_username_is_taken_regardless_of_case(user: PlatformUser) -> None:
    account = {"username": user.username.upper(), "password": "another good one"}
    assert user.http.post("/auth/register/", json=account).status_code == httpx.codes.CONFLICT


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "ș" * 37}, "password"),
        ({"username": "a b"}, "username"),
        ({"email": "no address"}, "email"),
        ({"role": "admin"}, "role"),
    ],
)
def test_invalid_registration_names_the_field_and_hides_the_password(
    served: ServedApi, changed: dict[str, str], field: str
) -> None:
    account = {"username": "somebody", "password": "a good long one", "email": "some@example.com", **changed}
    answer = served.anonymous.post("/auth/register/", json=account)

    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert account["password"] not in answer.text
