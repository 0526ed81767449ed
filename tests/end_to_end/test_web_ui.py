"""Tests of the sign-in page and of Dagster's web UI behind the gateway, in a browser and by HTTP, as each role."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from api.auth.roles import Role
from stack.home import PROJECT
from stack.ports import free_ports
from standin.site_facts import make_idno
from tests.browsers import forget_sites, see, started_browser, text_of, wait_in
from tests.dagster_web_ui import LAUNCH
from tests.page_forms import hidden_fields
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser
from tests.polling import wait_for

SHOTS = os.environ.get("REGISTRU_SCREENSHOTS")
"""The folder for screenshots; none are stored without it."""


@pytest.fixture(scope="module")
def only_browser(starts_browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The browser that the tests use one after another; it downloads the files of the web UI only once."""
    with started_browser(tmp_path_factory.mktemp("browser") / "profile") as driver:
        yield driver


@pytest.fixture
def browser(only_browser: Chrome, platform: Platform) -> Chrome:
    """A browser that is not signed in."""
    forget_sites(only_browser, platform.url)
    return only_browser


def store_screenshot(browser: Chrome, name: str) -> None:
    """Store a screenshot if there is a folder for it."""
    if SHOTS:
        browser.save_screenshot(str(Path(SHOTS) / f"{name}.png"))


def sign_in(browser: Chrome, username: str, password: str) -> None:
    for name, value in (("username", username), ("password", password)):
        field = browser.find_element(By.ID, name)
        field.clear()
        field.send_keys(value)
    browser.find_element(By.CSS_SELECTOR, "button").click()


BUTTON = """
const found = [...document.querySelectorAll('button')].find(button => button.innerText === 'Materialize all')
return found ? !found.disabled && found.getAttribute('aria-disabled') !== 'true' : null
"""
"""A script that returns whether the button that launches a run is enabled."""


@pytest.mark.parametrize("role", list(Role))
def test_dagster_opens_for_each_role_after_sign_in(platform: Platform, browser: Chrome, role: Role) -> None:
    with platform.signed_in_as(role) as user:
        browser.get(f"{platform.url}/dagster/jobs")
        assert "Sign in" in text_of(browser)
        store_screenshot(browser, f"sign-in-{role}")
        sign_in(browser, user.username, "not this one")
        see(browser, "The username or the password is wrong.")
        store_screenshot(browser, f"sign-in-wrong-{role}")
        sign_in(browser, user.username, user.password)
        see(browser, "scrape_companies")
        assert browser.current_url == f"{platform.url}/dagster/jobs"
        store_screenshot(browser, f"dagster-{role}")

        browser.get(f"{platform.url}/dagster/locations/registru/jobs/scrape_companies/launchpad")
        see(browser, "Materialize all")
        may_launch = role is not Role.READONLY
        wait_in(
            browser,
            lambda driver: driver.execute_script(BUTTON) is may_launch,
            f"a button that is enabled: {may_launch}",
        )
        store_screenshot(browser, f"launchpad-{role}")

        browser.get(f"{platform.url}/sign-in")
        see(browser, f"Signed in as {user.username}")
        assert f"The role {role}" in text_of(browser)
        store_screenshot(browser, f"signed-in-{role}")
        browser.find_element(By.CSS_SELECTOR, "button").click()
        see(browser, "Password")
        browser.get(f"{platform.url}/dagster/jobs")
        assert "Sign in" in text_of(browser)


def test_page_of_a_run_updates_itself_over_the_websocket(
    platform: Platform, user: PlatformUser, browser: Chrome
) -> None:
    browser.get(f"{platform.url}/dagster/jobs")
    sign_in(browser, user.username, user.password)
    see(browser, "scrape_companies")
    run_id = user.ask(make_idno(7100)).json()["run_id"]

    browser.get(f"{platform.url}/dagster/runs/{run_id}")
    see(browser, "Success")
    store_screenshot(browser, "run")


def test_run_is_tagged_with_the_user_whatever_the_client_claims(
    platform: Platform, user: PlatformUser
) -> None:
    selector = {
        "repositoryLocationName": "registru",
        "repositoryName": "__repository__",
        "jobName": "scrape_companies",
    }
    params = {
        "selector": selector,
        "runConfigData": {"ops": {"source_data": {"config": {"idnos": [make_idno(7101)]}}}},
        "executionMetadata": {"tags": [{"key": "registru/requested_by", "value": "somebody-else"}]},
    }
    answer = user.http.post(
        "/dagster/graphql",
        json={"query": LAUNCH, "variables": {"params": params}},
        headers={"X-Registru-User": "somebody-else", "X-Registru-Role": "admin"},
    )
    run_id = answer.json()["data"]["launchRun"]["run"]["runId"]

    run = platform.finished_run(run_id)
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert tags["registru/requested_by"] == user.username
    [row] = platform.query("SELECT requested_by FROM source_data WHERE run_id = :run", run=run_id)
    assert row["requested_by"] == user.username


def test_reader_cannot_launch_a_run_by_graphql(platform: Platform) -> None:
    params = {
        "selector": {
            "repositoryLocationName": "registru",
            "repositoryName": "__repository__",
            "jobName": "scrape_companies",
        },
        "runConfigData": {"ops": {"source_data": {"config": {"idnos": [make_idno(7102)]}}}},
    }
    with platform.signed_in_as(Role.READONLY) as reader:
        body = {"query": LAUNCH, "variables": {"params": params}}
        by_post = reader.http.post("/dagster/graphql", json=body, headers={"X-Registru-Scopes": "dagster"})
        assert by_post.json()["data"]["launchRun"]["__typename"] == "UnauthorizedError"
        query = reader.http.post("/dagster/graphql", json={"query": "{ version }"})
        assert query.json()["data"]["version"]
        reported = reader.http.post("/dagster/report_asset_materialization/source_data", json={})
        assert reported.status_code == 401  # as Dagster says it
        for mutation in MUTATIONS:
            answer = reader.http.post("/dagster/graphql", json={"query": f"mutation {{ {mutation} }}"}).json()
            assert "UnauthorizedError" in str(answer), answer
    assert platform.site.visits(make_idno(7102)) == 0


MUTATIONS = (
    'terminateRun(runId: "x") { __typename }',
    'deletePipelineRun(runId: "x") { __typename }',
    "reloadWorkspace { __typename }",
    'wipeAssets(assetPartitionRanges: [{assetKey: {path: ["source_data"]}}]) { __typename }',
    'setConcurrencyLimit(concurrencyKey: "x", limit: 1)',
)
"""Mutations that a reader must not execute."""


WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Protocol": "graphql-ws",
}


def ask_dagster(http: httpx.Client) -> dict[str, int]:
    """Return the statuses of a page, a query, a mutation by GET, and a WebSocket's handshake."""
    with http.stream("GET", "/dagster/graphql", headers=WEBSOCKET) as handshake:
        websocket = handshake.status_code
    return {
        "page": http.get("/dagster/runs", headers={"Accept": "text/html"}).status_code,
        "bare": http.get("/dagster").status_code,
        "query": http.post("/dagster/graphql", json={"query": "{ version }"}).status_code,
        "get": http.get("/dagster/graphql", params={"query": "{ version }"}).status_code,
        "websocket": websocket,
    }


def test_dagster_refuses_pages_queries_and_websockets_without_a_session(
    platform: Platform, user: PlatformUser
) -> None:
    with httpx.Client(base_url=platform.url, trust_env=False) as signed_out:
        assert set(ask_dagster(signed_out).values()) == {401}
    opened = ask_dagster(user.http)
    assert opened == {"page": 200, "bare": 307, "query": 200, "get": 200, "websocket": 101}
    user.http.post("/auth/logout/")
    assert set(ask_dagster(user.http).values()) == {401}


def test_internal_webserver_refuses_requests_without_the_key(platform: Platform) -> None:
    for port in ("dagster", "dagster_readonly"):
        inside = f"http://127.0.0.1:{platform.ports[port]}/dagster"
        with httpx.Client(base_url=inside, trust_env=False) as http:
            assert http.post("/graphql", json={"query": "{ version }"}).status_code == 403
            assert http.get("/graphql", params={"query": "{ version }"}).status_code == 403
            assert http.get("/server_info", headers={"X-Registru-Key": "x" * 43}).status_code == 403
            with http.stream("GET", "/graphql", headers=WEBSOCKET) as handshake:
                assert handshake.status_code == 403


@pytest.fixture
def visitor(platform: Platform) -> Iterator[httpx.Client]:
    """A client that keeps cookies, as a browser does."""
    with httpx.Client(base_url=platform.url, trust_env=False) as http:
        yield http


def enter(visitor: httpx.Client, user: PlatformUser) -> httpx.Response:
    form = hidden_fields(visitor.get("/sign-in"))
    return visitor.post("/sign-in", data={**form, "username": user.username, "password": user.password})


def test_session_cookie_is_http_only_and_not_valid_for_the_api(
    visitor: httpx.Client, user: PlatformUser
) -> None:
    answer = enter(visitor, user)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dagster/")
    cookie = next(line for line in answer.headers.get_list("set-cookie") if "registru_session" in line)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert visitor.get("/auth/verify").json()["username"] == user.username
    for method, path in (("GET", "/auth/me/"), ("GET", "/auth/sessions/"), ("POST", "/auth/logout/")):
        assert visitor.request(method, path).status_code == 401


def test_session_cookie_is_secure_behind_tls(platform: Platform, user: PlatformUser) -> None:
    # The headers that the gateway sends to the API when it terminates TLS.
    inside = f"http://127.0.0.1:{platform.ports['api']}"
    headers = {"X-Forwarded-Proto": "https", "Host": "registru.example"}
    with httpx.Client(base_url=inside, headers=headers, trust_env=False) as http:
        page = http.get("/sign-in")
        cookie = page.headers["set-cookie"].split(";")[0]
        form = {**hidden_fields(page), "username": user.username, "password": user.password}
        answer = http.post("/sign-in", data=form, headers={"Cookie": cookie})
    session = next(line for line in answer.headers.get_list("set-cookie") if "registru_session" in line)
    assert session.startswith("__Host-registru_session=")
    assert "Secure" in session


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_page_of_another_site_cannot_use_the_session(
    visitor: httpx.Client, user: PlatformUser, headers: dict[str, str]
) -> None:
    enter(visitor, user)
    body = {"query": "{ version }"}
    assert visitor.post("/dagster/graphql", json=body).status_code == 200
    assert visitor.post("/dagster/graphql", json=body, headers=headers).status_code == 403
    with visitor.stream("GET", "/dagster/graphql", headers={**WEBSOCKET, **headers}) as handshake:
        assert handshake.status_code == 403
    assert visitor.get("/dagster/server_info", headers=headers).status_code == 403
    form = hidden_fields(visitor.get("/sign-in"))
    assert visitor.post("/sign-out", data=form, headers=headers).status_code == 403
    assert visitor.get("/dagster/server_info").status_code == 200


def test_link_from_another_site_opens_dagster(visitor: httpx.Client, user: PlatformUser) -> None:
    enter(visitor, user)
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
    assert visitor.get("/dagster/runs", headers=link).status_code == 200


def test_form_served_to_another_browser_does_not_sign_in(
    platform: Platform, visitor: httpx.Client, user: PlatformUser
) -> None:
    credentials = {"username": user.username, "password": user.password}
    with httpx.Client(base_url=platform.url, trust_env=False) as attacker:
        theirs = hidden_fields(attacker.get("/sign-in"))
    visitor.get("/sign-in")
    for form in (credentials, {**credentials, **theirs}, {**credentials, "csrf": "ș\u0000"}):
        answer = visitor.post("/sign-in", data=form)
        assert answer.status_code == 403
        assert "registru_session" not in visitor.cookies
    assert user.password not in answer.text


@pytest.mark.parametrize(
    "next_path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x"],
)
def test_sign_in_redirects_only_within_the_site(
    visitor: httpx.Client, user: PlatformUser, next_path: str
) -> None:
    form = hidden_fields(visitor.get("/sign-in", params={"next": next_path}))
    assert form["next"] == "/dagster/"
    form |= {"next": next_path, "username": user.username, "password": user.password}
    assert visitor.post("/sign-in", data=form).headers["Location"] == "/dagster/"


def test_page_escapes_the_submitted_username(visitor: httpx.Client) -> None:
    form = hidden_fields(visitor.get("/sign-in"))
    hostile = '"><script>alert(1)</script>'
    page = visitor.post("/sign-in", data={**form, "username": hostile, "password": "x"})
    assert page.status_code == 401
    assert "<script" not in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@contextmanager
def another_gateway(platform: Platform, **settings: str) -> Iterator[httpx.Client]:
    """Run a second gateway in front of the platform's servers, with changed settings; yield a client of it."""
    [first] = platform.processes("caddy run")
    [port] = free_ports(1)
    environment = {
        **first.environ(),
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{port}",
        **{f"REGISTRU_{name.upper()}": value for name, value in settings.items()},
    }
    process = subprocess.Popen(first.cmdline(), cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            wait_for("a second gateway", lambda: _answers(http) or None)
            yield http
    finally:
        process.terminate()
        process.wait(60)


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/health/live").is_success
    except httpx.HTTPError:
        return False


def test_open_websocket_ends_soon_after_its_session(platform: Platform, user: PlatformUser) -> None:
    headers = {**WEBSOCKET, "Authorization": user.http.headers["Authorization"]}
    with (
        another_gateway(platform, gateway_stream_timeout="2s") as http,
        http.stream("GET", "/dagster/graphql", headers=headers) as handshake,
    ):
        assert handshake.status_code == 101
        user.http.post("/auth/logout/")
        stream = handshake.extensions["network_stream"]

        def ended() -> bool | None:
            return stream.read(65_536, timeout=100) == b"" or None

        wait_for("the end of the stream", ended, seconds=100)
        # The page's attempt to reconnect is refused.
        with http.stream("GET", "/dagster/graphql", headers=headers) as again:
            assert again.status_code == 401
