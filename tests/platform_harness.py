"""The running platform, as tests reach it: over HTTP, by Dagster's GraphQL, in its databases and processes."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import psutil
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from api.auth.roles import Role
from pipeline.local_socket import connect
from stack import postgres
from stack.home import PROJECT, Home
from stack.orphan_processes import processes_of
from stack.ports import free_ports
from stack.secrets import load_or_create
from standin.server import Site
from warehouse.schema import database_roles

VISIT_TIMEOUT_SECONDS = 8
WARM_BROWSERS = 2
OPEN_STATES = ("queued", "running", "deferred")
_Value = TypeVar("_Value")

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message causes { message } }
  }
}
"""
RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status
      tags { key value }
      assetMaterializations {
        assetKey { path }
        metadataEntries {
          label
          ... on IntMetadataEntry { intValue }
          ... on TextMetadataEntry { text }
          ... on TableMetadataEntry { table { records } }
        }
      }
      eventConnection(afterCursor: null) {
        events {
          __typename
          ... on MessageEvent { message }
          ... on ExecutionStepFailureEvent { error { message causes { message } } }
          ... on RunFailureEvent { error { message causes { message } } }
        }
      }
    }
  }
}
"""
TERMINATE = """
mutation Terminate($id: String!) {
  terminateRun(runId: $id) { __typename }
}
"""


def wait_for(
    what: str, look: Callable[[], _Value | None], *, seconds: float = 60, pause_seconds: float = 0.1
) -> _Value:
    """Return what `look` finds as soon as it finds something; fail the test, naming what was awaited."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(pause_seconds)


@dataclass
class PlatformUser:
    """An account with an HTTP client that is signed in to it."""

    username: str
    password: str
    http: httpx.Client

    def sign_in(self) -> dict[str, Any]:
        """Sign in anew; later requests carry the new token. Return all that came."""
        answer = self.http.post("/auth/login/", json={"username": self.username, "password": self.password})
        assert answer.status_code == httpx.codes.OK, answer.text
        tokens: dict[str, Any] = answer.json()
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return tokens

    def ask(self, idno: str, *, force: bool = True) -> httpx.Response:
        """Ask for a company."""
        return self.http.post("/scrape/", json={"idno": idno, "force_refresh": force})

    def wait(self, run_id: str, *, seconds: float = 90) -> dict[str, Any]:
        """Return the status of a run once it is over."""

        def over() -> dict[str, Any] | None:
            status = self.http.get(f"/scrape/{run_id}/")
            assert status.status_code == httpx.codes.OK, status.text
            body: dict[str, Any] = status.json()
            return None if body["state"] in OPEN_STATES else body

        return wait_for(f"the end of run {run_id}", over, seconds=seconds)

    def fetch(self, idno: str) -> dict[str, Any]:
        """Ask for a company anew and return the run's last status."""
        answer = self.ask(idno)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return self.wait(answer.json()["run_id"])


@dataclass
class Platform:
    """A platform under test."""

    home: Home
    process: "subprocess.Popen[str]"
    url: str
    dagster_url: str
    site: Site
    scratch: Path
    """The folder of its processes' temporary ones."""

    @property
    def ports(self) -> dict[str, int]:
        """Where each server listens, inside."""
        ports: dict[str, int] = json.loads(self.home.state.read_text())["ports"]
        return ports

    @contextmanager
    def signed_in(self) -> Iterator[PlatformUser]:
        """Yield a new user."""
        username, password = f"user-{uuid4().hex[:12]}", uuid4().hex
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            account = {"username": username, "password": password, "email": f"{username}@example.com"}
            answer = http.post("/auth/register/", json=account)
            assert answer.status_code == httpx.codes.CREATED, answer.text
            user = PlatformUser(username, password, http)
            user.sign_in()
            yield user

    @contextmanager
    def signed_in_as(self, role: Role) -> Iterator[PlatformUser]:
        """Yield a new user with a role."""
        with self.signed_in() as user:
            self.set_role(user.username, role)
            user.sign_in()
            yield user

    def set_role(self, username: str, role: Role) -> None:
        """Change a role, as an admin of the tests' own does."""
        found = self.admin.get("/admin/users/", params={"q": username}).json()["users"]
        answer = self.admin.patch(f"/admin/users/{found[0]['id']}/", json={"role": role})
        assert answer.status_code == httpx.codes.OK, answer.text

    @cached_property
    def admin(self) -> httpx.Client:
        """A client with an admin's API key."""
        password = uuid4().hex
        command = ("create-admin", "--home", str(self.home.path), "--username", "boss", "--password-stdin")
        subprocess.run(
            [sys.executable, "-m", "stack.cli", *command],
            input=f"{password}\n",
            text=True,
            check=True,
            cwd=PROJECT,
        )
        return self._with_key("boss", password, ["users", "audit:read", "dagster", "scrape"])

    @cached_property
    def analyst(self) -> httpx.Client:
        """A client with an API key that opens Dagster."""
        with self.signed_in() as user:
            return self._with_key(user.username, user.password, ["dagster", "dagster:read"])

    def _with_key(self, username: str, password: str, scopes: list[str]) -> httpx.Client:
        http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        token = http.post("/auth/login/", json={"username": username, "password": password}).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        made = http.post("/auth/keys/", json={"name": "tests", "scopes": scopes}, headers=headers)
        assert made.status_code == httpx.codes.CREATED, made.text
        http.headers["X-API-Key"] = made.json()["key"]
        return http

    def graphql(self, query: str, **variables: Any) -> Any:
        """Ask Dagster, as its web UI does."""
        answer = self.analyst.post("/dagster/graphql", json={"query": query, "variables": variables})
        body = answer.json()
        assert not body.get("errors"), body
        return body["data"]

    def launch(
        self, run_config: dict[str, Any], *, assets: Sequence[str] = ("source_data", "transformed_data")
    ) -> dict[str, Any]:
        """Materialize assets with a config, as the launchpad does; return Dagster's answer."""
        selector = {
            "repositoryLocationName": "registru",
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": [asset]} for asset in assets],
            "assetCheckSelection": [],
        }
        params = {"selector": selector, "runConfigData": run_config, "executionMetadata": {"tags": []}}
        answer: dict[str, Any] = self.graphql(LAUNCH, params=params)["launchRun"]
        return answer

    def run(self, run_id: str) -> dict[str, Any]:
        """Return what Dagster knows of a run."""
        found: dict[str, Any] = self.graphql(RUN, id=run_id)["runOrError"]
        return found

    def finished_run(self, run_id: str, *, seconds: float = 180) -> dict[str, Any]:
        """Return a run once it is over."""

        def over() -> dict[str, Any] | None:
            run = self.run(run_id)
            return run if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

        return wait_for(f"the end of run {run_id}", over, seconds=seconds, pause_seconds=0.5)

    def terminate(self, run_id: str) -> None:
        """Cancel a run, as the web UI's button does."""
        answer = self.graphql(TERMINATE, id=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def engine(self, role: str, database: str) -> Engine:
        """Return an engine that connects as a role."""
        url = postgres.url(
            self.ports["postgres"], load_or_create(self.home.secrets), role=role, database=database
        )
        return create_engine(url, poolclass=NullPool)

    @contextmanager
    def warehouse(self, role: str = database_roles.PIPELINE) -> Iterator[Connection]:
        """Yield a connection to the warehouse."""
        with self.engine(role, database_roles.WAREHOUSE_DATABASE).begin() as connection:
            yield connection

    def query(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return rows of the warehouse."""
        with self.warehouse() as connection:
            return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]

    def open_scrapes(self) -> int:
        """Return how many scrapes are in flight."""
        with self.engine(database_roles.API, database_roles.USERS_DATABASE).begin() as connection:
            statement = "SELECT count(*) FROM scrapes WHERE finished_at IS NULL"
            return int(connection.execute(text(statement)).scalar_one())

    def processes(self, name: str) -> list[psutil.Process]:
        """Return this platform's processes whose command line holds `name`."""
        return [process for process in processes_of(self.home) if name in _command_line(process)]

    def runs(self) -> list[psutil.Process]:
        """Return the processes of runs that are under way."""
        return self.processes("dagster-run ")

    def worker(self, run_id: str) -> psutil.Process:
        """Return the process of a run, once it is there."""
        return wait_for(
            f"the process of run {run_id}", lambda: next(iter(self.processes(f"dagster-run {run_id}")), None)
        )

    def drivers(self) -> set[int]:
        """Return the chromedrivers that there are, by their pids."""
        return {process.pid for process in self.processes("chromedriver")}

    def wait_until_only_kept_browsers_are_left(self) -> None:
        """Wait until there is no browser but those that are kept running."""

        def only_kept() -> bool:
            lenders = {process.pid for process in self.processes("pipeline.extract.browser.browser_lender")}
            drivers = self.processes("chromedriver")
            profiles = list(self.home.work.glob("chrome/*"))
            return {_parent(driver) for driver in drivers} == lenders and len(drivers) == len(
                profiles
            ) == WARM_BROWSERS

        wait_for("the end of all browsers but those that are kept", only_kept)

    @contextmanager
    def another_api(self, **settings: str) -> Iterator[httpx.Client]:
        """Yield a client of a second API process on the same stores, with settings of its own.

        Past the gateway, so that it can say by X-Forwarded-For where its requests come from.
        """
        running = [each for each in self.processes("api.main:create_app") if "uvicorn" in _command_line(each)]
        first = min(running, key=lambda process: process.create_time())
        environment = first.environ()
        # Its secrets by the environment, so that `settings` can change them.
        for file in Path(environment.pop("REGISTRU_SECRETS_DIR")).iterdir():
            environment[file.name.upper()] = file.read_text()
        environment |= {f"REGISTRU_{name.upper()}": value for name, value in settings.items()}
        [port] = free_ports(1)
        command = [*first.cmdline()]
        command[command.index("--port") + 1] = str(port)
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
                wait_for("a second API", lambda: _answers(http) or None, seconds=60)
                yield http
        finally:
            process.terminate()
            process.wait(30)

    def audit(self, event: str) -> list[dict[str, Any]]:
        """Return the newest entries of the audit log of a kind."""
        answer = self.admin.get("/admin/audit/", params={"event": event})
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries

    def wait_until_healthy(self) -> None:
        """Wait until every part answers, the server of runs too."""

        def healthy() -> bool:
            try:
                connect(self.home.work / "runs.sock", timeout=5).close()
                return httpx.get(f"{self.url}/health/", timeout=10, trust_env=False).status_code == 200
            except (httpx.HTTPError, OSError):
                return False

        wait_for("a healthy platform", healthy, seconds=90)


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/").is_success
    except httpx.HTTPError:
        return False


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@contextmanager
def running_platform(folder: Path, site: Site, *, rate: float = 0, **settings: str) -> Iterator[Platform]:
    """Run a whole platform against a site, with settings of its own."""
    options = ("--site", site.url, "--site-rate", str(rate), "--port", "0")
    # Not in the test's own folder: the paths of Chrome's sockets have to be short.
    with tempfile.TemporaryDirectory() as scratch:
        process = start(folder, *options, scratch=Path(scratch), **settings)
        try:
            url = read_ready(process)
            home = Home.at(folder)
            dagster_url = json.loads(home.state.read_text())["dagster_url"]
            yield Platform(home, process, url, dagster_url, site, Path(scratch))
        finally:
            if process.poll() is None:
                stop(process)


def start(home: Path, *options: str, scratch: Path | None = None, **settings: str) -> "subprocess.Popen[str]":
    """Start `registru up`, with a folder for its temporary ones if wanted."""
    command = [sys.executable, "-m", "stack.cli", "up", "--home", str(home), *options]
    environment = {
        **os.environ,
        "REGISTRU_VISIT_TIMEOUT_SECONDS": str(VISIT_TIMEOUT_SECONDS),
        "REGISTRU_WARM_BROWSERS": str(WARM_BROWSERS),
        "REGISTRU_RETRY_SECONDS": "0.2",
        "REGISTRU_BCRYPT_COST": "10",
        # All of a suite comes from one address.
        "REGISTRU_LIMIT_REGISTRATIONS": "600/minute",
        "REGISTRU_LIMIT_ADDRESS": "60000/minute",
        "REGISTRU_LIMIT_GUESSES_ADDRESS": "6000/minute",
        **{f"REGISTRU_{name.upper()}": value for name, value in settings.items()},
        **({"TMPDIR": str(scratch)} if scratch else {}),
    }
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def stop(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> tuple[str, str]:
    """End `registru up` by a signal and return what it printed."""
    process.send_signal(number)
    return process.communicate(timeout=90)


def read_ready(process: "subprocess.Popen[str]") -> str:
    """Return the gateway's address from the line that says ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("ready "):
        raise AssertionError(f"not ready: {line} {process.communicate(timeout=60)}")
    return line.split()[1]


def under_way(platform: Platform, user: PlatformUser, idno: str) -> tuple[str, int]:
    """Ask for a company and wait for the visit; return the run and how many visits there were before."""
    visits = platform.site.visits(idno)
    run_id = asked(user, idno)
    wait_for("the visit", lambda: platform.site.visits(idno) > visits)
    return run_id, visits


def asked(user: PlatformUser, idno: str) -> str:
    """Ask for a company. Where a part before has died lately, Dagster may have to be asked again."""
    run_id: str = wait_for("a run", lambda: user.ask(idno).json().get("run_id"), pause_seconds=1)
    return run_id
