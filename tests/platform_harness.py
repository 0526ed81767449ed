"""A platform under test: access over HTTP, through Dagster's GraphQL API, in its databases and processes."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from pipeline.local_socket import connect
from stack import postgres
from stack.home import PROJECT, Home
from stack.orphan_processes import processes_of
from stack.ports import free_ports
from stack.secrets import load_or_create
from standin.server import Site
from tests.dagster_web_ui import ENDED_STATUSES, LAUNCH, RUN, RUN_STATUS, TERMINATE, query_dagster
from tests.local_http import local_client
from tests.platform_user import Accounts, PlatformUser, client_with_key
from tests.polling import wait_for
from warehouse.schema import database_roles

VISIT_TIMEOUT_SECONDS = 10
WARM_BROWSERS = 1


@dataclass
class Platform(Accounts):
    """A platform under test: all its processes, the stand-in site and one home."""

    home: Home
    process: "subprocess.Popen[str]"
    url: str
    dagster_url: str
    site: Site
    scratch: Path
    """The parent of all temporary folders that its processes create."""
    warm_browsers: int = WARM_BROWSERS
    """How many browsers are kept running for the next visits."""

    @property
    def ports(self) -> dict[str, int]:
        """The port of each inner server, by its name."""
        ports: dict[str, int] = json.loads(self.home.state.read_text())["ports"]
        return ports

    @cached_property
    def admin(self) -> httpx.Client:
        """An HTTP client with an admin's API key."""
        password = uuid4().hex
        command = ("create-admin", "--home", str(self.home.path), "--username", "boss", "--password-stdin")
        subprocess.run(
            [sys.executable, "-m", "stack.cli", *command],
            input=f"{password}\n",
            text=True,
            check=True,
            cwd=PROJECT,
        )
        return client_with_key(self.url, "boss", password, ["users", "audit:read", "dagster", "scrape"])

    @cached_property
    def analyst(self) -> httpx.Client:
        """An HTTP client with an API key that may use Dagster."""
        with self.signed_in() as user:
            return client_with_key(self.url, user.username, user.password, ["dagster", "dagster:read"])

    def close(self) -> None:
        """Close the HTTP clients."""
        for name in ("admin", "analyst"):
            if name in vars(self):  # a cached property exists once it has been used
                getattr(self, name).close()

    def graphql(self, query: str, **variables: Any) -> Any:
        """Send a GraphQL query to Dagster as an analyst and return its data."""
        return query_dagster(self.analyst, query, **variables)

    def launch(
        self, run_config: dict[str, Any], *, assets: Sequence[str] = ("source_data", "transformed_data")
    ) -> dict[str, Any]:
        """Materialize assets with a run config, as Dagster's launchpad does; return Dagster's answer."""
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
        """Return a run as Dagster shows it."""
        run: dict[str, Any] = self.graphql(RUN, id=run_id)["runOrError"]
        return run

    def finished_run(self, run_id: str, *, seconds: float = 180) -> dict[str, Any]:
        """Wait until a run has ended and return it."""

        def ended() -> bool:
            return self.graphql(RUN_STATUS, id=run_id)["runOrError"]["status"] in ENDED_STATUSES

        wait_for(f"the end of run {run_id}", ended, seconds=seconds, pause_seconds=0.3)
        return self.run(run_id)

    def terminate(self, run_id: str) -> None:
        """Cancel a run, as the button of Dagster's web UI does."""
        answer = self.graphql(TERMINATE, id=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def engine(self, role: str, database: str) -> Engine:
        """Return an engine that connects to a database as a role."""
        url = postgres.url(
            self.ports["postgres"], load_or_create(self.home.secrets), role=role, database=database
        )
        return create_engine(url, poolclass=NullPool)

    @contextmanager
    def warehouse(self, role: str = database_roles.PIPELINE) -> Iterator[Connection]:
        """Yield a connection to the warehouse in a transaction, committed at the end."""
        with self.engine(role, database_roles.WAREHOUSE_DATABASE).begin() as connection:
            yield connection

    def query(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Query the warehouse and return the rows."""
        with self.warehouse() as connection:
            return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]

    def open_scrapes(self) -> int:
        """Return the number of scrapes that have not ended."""
        with self.engine(database_roles.API, database_roles.USERS_DATABASE).begin() as connection:
            statement = "SELECT count(*) FROM scrapes WHERE finished_at IS NULL"
            return int(connection.execute(text(statement)).scalar_one())

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the platform's processes whose command line contains `name`."""
        return [process for process in processes_of(self.home) if name in _command_line(process)]

    def runs(self) -> list[psutil.Process]:
        """Return the processes of all current runs."""
        return self.processes("dagster-run ")

    def worker(self, run_id: str) -> psutil.Process:
        """Wait for the process of a run and return it."""
        return wait_for(
            f"the process of run {run_id}", lambda: next(iter(self.processes(f"dagster-run {run_id}")), None)
        )

    def drivers(self) -> set[int]:
        """Return the process ids of all chromedrivers."""
        return {process.pid for process in self.processes("chromedriver")}

    def wait_until_only_warm_browsers_remain(self) -> None:
        """Wait until the only browsers are the lender's idle ones, each with one profile."""

        def only_warm_browsers() -> bool:
            lenders = {process.pid for process in self.processes("pipeline.extract.browser.browser_lender")}
            drivers = self.processes("chromedriver")
            profiles = list(self.home.work.glob("chrome/*"))
            counts = {len(drivers), len(profiles)}
            return {_parent(driver) for driver in drivers} == lenders and counts == {self.warm_browsers}

        wait_for("the end of all browsers except the warm ones", only_warm_browsers, pause_seconds=0.3)

    @contextmanager
    def another_api(self, **settings: str) -> Iterator[httpx.Client]:
        """Run a second API process on the same stores, with changed settings; yield a client of it.

        The client does not use the gateway, so it can set X-Forwarded-For itself.
        """
        servers = [
            process
            for process in self.processes("api.main:create_app")
            if "uvicorn" in _command_line(process)
        ]
        first = min(servers, key=lambda process: process.create_time())
        environment = first.environ()
        # Secrets go into the environment, where `settings` can override them.
        for file in Path(environment.pop("REGISTRU_SECRETS_DIR")).iterdir():
            environment[file.name.upper()] = file.read_text()
        environment |= {f"REGISTRU_{name.upper()}": value for name, value in settings.items()}
        [port] = free_ports(1)
        command = [*first.cmdline()]
        command[command.index("--port") + 1] = str(port)
        process = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
        try:
            with local_client(f"http://127.0.0.1:{port}") as http:
                wait_for("a second API", lambda: _answers(http) or None, seconds=60)
                yield http
        finally:
            process.terminate()
            process.wait(30)

    def audit(self, event: str) -> list[dict[str, Any]]:
        """Return the newest audit log entries of one event."""
        answer = self.admin.get("/admin/audit/", params={"event": event})
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries

    def wait_until_healthy(self) -> None:
        """Wait until /health/ is ok and the run server accepts connections."""

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
def running_platform(
    folder: Path, site: Site, *, rate: float = 0, durable: bool = False, **settings: str
) -> Iterator[Platform]:
    """Run a whole platform against a site until the block ends.

    Args:
        folder: The platform's home.
        site: The site that it visits.
        rate: Visits per second; 0 for no limit.
        durable: Whether PostgreSQL waits for the disk, as for users; benchmarks need that.
        settings: Further settings, without the prefix REGISTRU_. A platform that visits nothing needs no browser:
            `warm_browsers="0"`.
    """
    options = ("--site", site.url, "--site-rate", str(rate), "--port", "0")
    if not durable:
        _prepare_fast_store(Home.at(folder))
    # Outside of the test's folder, because the paths of Chrome's sockets must be short.
    with tempfile.TemporaryDirectory() as scratch:
        process = start(folder, *options, scratch=Path(scratch), **settings)
        try:
            url = read_ready(process)
            home = Home.at(folder)
            dagster_url = json.loads(home.state.read_text())["dagster_url"]
            warm_browsers = int(settings.get("warm_browsers", WARM_BROWSERS))
            platform = Platform(home, process, url, dagster_url, site, Path(scratch), warm_browsers)
            try:
                yield platform
            finally:
                platform.close()
        finally:
            if process.poll() is None:
                stop(process)


def _prepare_fast_store(home: Home) -> None:
    """Create PostgreSQL's data in a new home such that no commit and no stop waits for the disk.

    The data survives killed processes, but not a crash of the machine.
    """
    if (home.postgres / "PG_VERSION").exists() or home.replaced.exists():
        return
    postgres.prepare(home, load_or_create(home.secrets), durable=False)
    with (home.postgres / "postgresql.conf").open("a") as config:
        config.write("fsync = off\nfull_page_writes = off\n")


def start(home: Path, *options: str, scratch: Path | None = None, **settings: str) -> "subprocess.Popen[str]":
    """Start `registru up`; its temporary folders go into `scratch` if given."""
    command = [sys.executable, "-m", "stack.cli", "up", "--home", str(home), *options]
    environment = {
        **os.environ,
        "REGISTRU_VISIT_TIMEOUT_SECONDS": str(VISIT_TIMEOUT_SECONDS),
        "REGISTRU_WARM_BROWSERS": str(WARM_BROWSERS),
        "REGISTRU_RETRY_SECONDS": "0.2",
        "REGISTRU_BCRYPT_COST": "10",
        # All requests of the test suite come from one address.
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
    """Send a signal to `registru up`, wait for its end, and return what it printed."""
    process.send_signal(number)
    return process.communicate(timeout=90)


def read_ready(process: "subprocess.Popen[str]") -> str:
    """Read the line that starts with `ready` and return the gateway's address in it."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("ready "):
        raise AssertionError(f"not ready: {line} {process.communicate(timeout=60)}")
    return line.split()[1]


def start_visit(platform: Platform, user: PlatformUser, idno: str) -> tuple[str, int]:
    """Request a company and wait until its visit has started; return the run's id and the earlier visits."""
    visits = platform.site.visits(idno)
    run_id = user.request_run(idno)
    wait_for("the visit", lambda: platform.site.visits(idno) > visits)
    return run_id, visits
