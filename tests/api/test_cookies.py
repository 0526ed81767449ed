"""The session cookie's name and attributes, and which requests count as sent by this site's own pages."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.auth.cookies import (
    cookie_name,
    drop_session_cookie,
    is_from_own_page,
    own_cookie,
    session_cookie,
    set_cookie,
    set_session_cookie,
)
from api.problems import Forbidden


def request(method: str = "GET", *, scheme: str = "https", **headers: str) -> Request:
    """Build a request to registru.example; `sec_fetch_site="none"` sets the header Sec-Fetch-Site."""
    sent = {"host": "registru.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": scheme,
            "path": "/",
            "query_string": b"",
            "server": ("10.0.0.1", 8000),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value],
        }
    )


@pytest.mark.parametrize(
    "origin",
    ["https://registru.example", "https://registru.example:443", "https://REGISTRU.example"],
)
def test_origin_with_the_requested_host_and_port_is_an_own_page(origin: str) -> None:
    assert is_from_own_page(request("POST", origin=origin))


@pytest.mark.parametrize(
    "origin",
    [
        "http://registru.example",
        "http://registru.example:443",
        "https://registru.example:8443",
        "https://other.registru.example",
        "https://registru.example:99999",
        "null",
    ],
)
def test_any_other_origin_is_another_site(origin: str) -> None:
    assert not is_from_own_page(request("POST", origin=origin, sec_fetch_site="same-origin"))


def test_origin_counts_against_the_host_that_the_gateway_forwards() -> None:
    forwarded = {"host": "127.0.0.1:8000", "x_forwarded_host": "registru.example"}
    assert is_from_own_page(request("POST", origin="https://registru.example", **forwarded))
    assert not is_from_own_page(request("POST", origin="https://127.0.0.1:8000", **forwarded))


def test_origin_of_plain_http_has_port_80() -> None:
    assert is_from_own_page(request(scheme="http", origin="http://registru.example:80"))
    assert is_from_own_page(
        request(scheme="http", host="registru.example:80", origin="http://registru.example")
    )


def test_no_origin_is_an_own_page_if_the_requested_host_is_unknown() -> None:
    assert not is_from_own_page(request("POST", host="", origin="null"))


@pytest.mark.parametrize(
    ("site", "own"),
    [("", True), ("none", True), ("same-origin", True), ("same-site", False), ("cross-site", False)],
)
def test_without_an_origin_the_browser_names_the_kind_of_site(site: str, own: bool) -> None:
    assert is_from_own_page(request("POST", sec_fetch_site=site)) is own


@pytest.mark.parametrize(
    ("method", "forwarded", "mode", "own"),
    [
        ("GET", "", "navigate", True),
        ("HEAD", "", "navigate", True),
        ("POST", "", "navigate", False),
        ("GET", "POST", "navigate", False),
        ("POST", "GET", "navigate", True),
        ("GET", "", "no-cors", False),
        ("GET", "", "", False),
    ],
)
def test_another_site_may_only_open_a_page(method: str, forwarded: str, mode: str, own: bool) -> None:
    sent = request(method, sec_fetch_site="cross-site", sec_fetch_mode=mode, x_forwarded_method=forwarded)
    assert is_from_own_page(sent) is own


def test_cookie_over_tls_has_the_prefix_that_binds_it_to_the_host() -> None:
    assert cookie_name(request()) == "__Host-registru_session"
    assert cookie_name(request(scheme="http")) == "registru_session"
    assert cookie_name(request(), "flow") == "__Host-flow"
    assert session_cookie(request(cookie="__Host-registru_session=a; registru_session=b")) == "a"
    assert session_cookie(request(scheme="http", cookie="registru_session=b")) == "b"


def test_session_cookie_is_refused_if_another_site_caused_the_request() -> None:
    cookie = "__Host-registru_session=a"
    assert own_cookie(request("POST", cookie=cookie, sec_fetch_site="same-origin")) == "a"
    assert own_cookie(request("POST", sec_fetch_site="cross-site")) is None
    with pytest.raises(Forbidden, match="only from this site's own pages"):
        own_cookie(request("POST", cookie=cookie, sec_fetch_site="cross-site"))


def header(response: Response) -> set[str]:
    return set(response.headers["set-cookie"].split("; "))


def test_session_cookie_is_hidden_from_scripts_and_sent_only_over_tls() -> None:
    response = Response()
    set_session_cookie(request(), response, "secret", seconds=60)
    assert header(response) == {
        "__Host-registru_session=secret",
        "HttpOnly",
        "Max-Age=60",
        "Path=/",
        "SameSite=lax",
        "Secure",
    }


def test_cookie_without_tls_is_not_secure_and_may_end_with_the_browser() -> None:
    response = Response()
    set_cookie(request(scheme="http"), response, "flow", "x", seconds=None, same_site="strict")
    assert header(response) == {"flow=x", "HttpOnly", "Path=/", "SameSite=strict"}


def test_dropped_session_cookie_is_empty_and_expires_at_once() -> None:
    response = Response()
    drop_session_cookie(request(), response)
    assert header(response) >= {'__Host-registru_session=""', "Max-Age=0", "Path=/", "SameSite=lax", "Secure"}
