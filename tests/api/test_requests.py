"""Invalid requests get a clear error; body sizes, paths."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from standin.site_facts import make_idno
from tests.api.served_api import ServedApi
from tests.platform_user import PlatformUser


@pytest.mark.parametrize(
    ("idno", "reason"),
    [
        ("123456789123", "has 12 digits; an IDNO has 13"),
        ("1003600069774", "its last digit is 4, expected 3"),
        ("../x", "13 digits"),
        ("١٠٠٣٦٠٠٠٦٩٧٧٣", "13 digits"),
        ("1003600069773\u0000", "13 digits"),
        ("", "has 0 digits; an IDNO has 13"),
        (1003600069773, "valid string"),
        (None, "valid string"),
        (["1003600069773"], "valid string"),
    ],
)
def test_invalid_idno_is_refused_with_the_reason(user: PlatformUser, idno: Any, reason: str) -> None:
    answer = user.http.post("/scrape/", json={"idno": idno})

    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    [error] = answer.json()["errors"]
    assert error["field"] == "idno"
    assert reason in error["reason"]


def test_spaces_around_an_idno_are_accepted(served: ServedApi, user: PlatformUser) -> None:
    answer = user.http.post("/scrape/", json={"idno": f" {make_idno(3300)} "})
    assert answer.status_code == httpx.codes.ACCEPTED
    assert served.harness.dagster.run(answer.json()["run_id"]).idnos == (make_idno(3300),)


def test_body_of_ten_megabytes_is_too_large(user: PlatformUser) -> None:
    answer = user.http.post("/scrape/", json={"idno": "1" * 10_000_000})

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_body_without_content_length_is_limited_too(user: PlatformUser) -> None:
    chunks = (b"1" * 10_000 for _ in range(50))
    answer = user.http.post("/scrape/", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


def test_unknown_field_is_refused(user: PlatformUser) -> None:
    answer = user.http.post("/scrape/", json={"idno": make_idno(3300), "forse_refresh": True})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.json()["errors"][0]["field"] == "forse_refresh"


def test_forced_refresh_is_an_alias_of_force_refresh(served: ServedApi, user: PlatformUser) -> None:
    idno = make_idno(3301)
    served.harness.finish_company(str(uuid4()), idno)
    assert user.http.post("/scrape/", json={"idno": idno}).json()["cached"] is True

    answer = user.http.post("/scrape/", json={"idno": idno, "forced_refresh": True})
    assert answer.status_code == httpx.codes.ACCEPTED
    assert served.harness.dagster.run(answer.json()["run_id"]).idnos == (idno,)


def test_malformed_json_is_reported_as_such(user: PlatformUser) -> None:
    answer = user.http.post("/scrape/", content=b'{"idno": ', headers={"Content-Type": "application/json"})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "JSON" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/scrape/", b'{"idno": "\\ud800"}'),
        ("/scrape/", b'{"\\ud800": 1}'),
        ("/scrape/", b"1" * 6_000),
        ("/scrape/", b"[" * 6_000),
        ("/scrape/", b'{"idno": "\xff"}'),
        ("/auth/register/", b'{"username": "\\ud800", "password": "a good long one"}'),
        ("/auth/register/", b'{"username": "a\\u0000b", "password": "a good long one"}'),
    ],
)
def test_hostile_bodies_are_refused_with_a_reason(user: PlatformUser, path: str, body: bytes) -> None:
    answer = user.http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert answer.json()["detail"]


def test_hostile_usernames_are_treated_as_unknown(user: PlatformUser) -> None:
    for name in ("a\u0000b", "x' OR '1'='1", "ș" * 60):
        answer = user.http.post("/auth/login/", json={"username": name, "password": "whatever it is"})
        assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert user.http.get("/scrape/%00/").status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("path", ["/", "/health", "/health/", "/auth/me", "/auth/me/"])
def test_paths_work_with_and_without_trailing_slash(user: PlatformUser, path: str) -> None:
    answer = user.http.get(path)
    assert answer.status_code == httpx.codes.OK


def test_company_that_was_never_requested_is_not_found(user: PlatformUser) -> None:
    answer = user.http.get(f"/companies/{make_idno(9000)}/")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.json()["title"] == "Not Found"


def test_openapi_document_lists_each_path_once(user: PlatformUser) -> None:
    paths = user.http.get("/openapi.json").json()["paths"]
    assert len({path.rstrip("/") for path in paths}) == len(paths)
    assert "/scrape/{run_id}/" in paths
