"""Tests of the pages' pure functions: redirects, form tokens, the origin of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.auth.cookies import is_from_own_page
from api.auth.roles import Role
from api.pages.csrf import form_token, is_valid_form_token, new_token
from api.pages.paths import HOME, safe_next
from api.pages.render import sign_in_page, signed_in_page
from api.runtime.client_address import RequestClient

KEY = "a key"


@pytest.mark.parametrize("path", ["/dagster/runs", "/dagster/runs/x?tab=1&y=%2F", "/docs", "/"])
def test_safe_next_keeps_a_path_of_this_site(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "path",
    [None, "", "x", "//evil", "/\\evil", "\\\\evil", "https://evil", "javascript:x", "/\tevil", "/a b", "/\r\nX: y",
     "/ș", "/sign-in", "/sign-out", "/auth/logout/", "/" + "x" * 3000, "//[", " /x"],
)  # fmt: skip
def test_safe_next_replaces_any_other_path(path: str | None) -> None:
    assert safe_next(path) == HOME


def test_form_token_is_valid_only_with_its_cookie() -> None:
    cookie = new_token()
    assert is_valid_form_token(cookie, form_token(cookie, KEY), [KEY])
    assert not is_valid_form_token(new_token(), form_token(cookie, KEY), [KEY])
    assert not is_valid_form_token(cookie, form_token(cookie, "another key"), [KEY])
    assert not is_valid_form_token(None, form_token("", KEY), [KEY])


@given(st.text(), st.text())
def test_arbitrary_text_is_not_a_valid_form_token(cookie: str, value: str) -> None:
    assert not is_valid_form_token(cookie, value, [KEY])


def request(method: str = "POST", **headers: str) -> Request:
    named = {
        "host": "registru.example:8000",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    raw = [(key.encode(), value.encode()) for key, value in named.items()]
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": raw,
    }
    return Request(scope)


@pytest.mark.parametrize(
    ("asked", "own"),
    [
        (request(origin="http://registru.example:8000"), True),
        (request(origin="https://registru.example:8000"), False),
        (request(origin="http://registru.example"), False),
        (request(origin="http://evil.example"), False),
        (request(origin="null"), False),
        (request(origin="null", host=""), False),
        (request(origin="http://[", host="["), False),
        (request(origin="http://registru.example", host="registru.example:80"), True),
        (request(origin="http://a.example", x_forwarded_host="a.example"), True),
        (request(), True),
        (request(sec_fetch_site="same-origin"), True),
        (request(sec_fetch_site="same-site"), False),
        (request(sec_fetch_site="cross-site", sec_fetch_mode="navigate"), False),
        (request("GET", sec_fetch_site="cross-site", sec_fetch_mode="navigate"), True),
        (request("GET", sec_fetch_site="cross-site", sec_fetch_mode="no-cors"), False),
        (
            request("GET", sec_fetch_site="cross-site", sec_fetch_mode="navigate", x_forwarded_method="POST"),
            False,
        ),
    ],
)
def test_requests_from_other_sites_are_recognized(asked: Request, own: bool) -> None:
    assert is_from_own_page(asked) is own


def test_values_from_a_request_are_escaped_on_the_page() -> None:
    hostile = "'\"><script>x</script>"
    page = sign_in_page(csrf=hostile, next_path=hostile, username=hostile, message=hostile)
    signed_in = signed_in_page(csrf=hostile, username=hostile, role=Role.ADMIN)
    for body in (bytes(page.body), bytes(signed_in.body)):
        assert b"<script" not in body
        assert b"&lt;script" in body


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("unknown", "unknown"),
    ],
)
def test_ipv6_addresses_of_one_network_count_as_one(address: str, network: str) -> None:
    assert RequestClient(address, None).network == network
