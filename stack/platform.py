"""Starts the whole platform, waits until it is ready, and stops it."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import httpx

from pipeline import local_socket
from pipeline.settings import is_loopback
from stack import orphan_processes, postgres
from stack.chrome import find_chrome
from stack.command_line import Progress
from stack.home import Home, RunningPlatform, locked
from stack.ports import LOOPBACK, choose_port, free_ports
from stack.processes import (
    DAGSTER_PATH,
    DATABASES,
    PLATFORM,
    RECOVERY,
    RUN_SERVER,
    STORES,
    Ports,
    ProcessPlan,
    Program,
    Source,
    programs,
    stand_in_url,
)
from stack.secrets import load_or_create
from stack.stack_error import StackError
from stack.supervisor import Supervisor, starting_supervisor
from telemetry.settings import TelemetrySettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load
from warehouse.contract import KEY_HEADER
from warehouse.schema import database_roles

GATEWAY_PORT = 8000
_READY_SECONDS = 120
_POLL_SECONDS = 0.1


@contextlib.contextmanager
def run_platform(
    home: Home, source: Source, *, port: int | None, report_progress: Progress
) -> Iterator[tuple[RunningPlatform, Supervisor]]:
    """Run the platform, and yield when all its processes answer. Raises StackError, which names the failed process.

    Args:
        home: The home with the platform's state.
        source: The site to scrape.
        port: The gateway's port. 0 selects any free port. None selects the default port or, if taken, any free one.
        report_progress: Shows the step that begins.
    """
    with locked(home):
        needs_recovery = home.state.exists() or home.restored_marker.exists()
        if orphans := orphan_processes.terminate_orphans(home):
            report_progress(f"terminated {orphans} processes that an earlier platform left running")
        _check_telemetry()
        _check_site(home, source)
        gateway_port = choose_port(GATEWAY_PORT, port)
        with starting_supervisor(home) as configure:
            plan = _make_plan(home, source, gateway_port)
            started = programs(plan)
            supervisor = configure(started)
            try:
                _start(plan, started, supervisor, recover=needs_recovery, report_progress=report_progress)
                platform = _describe(plan, supervisor)
                platform.save(home)
                yield platform, supervisor
            finally:
                report_progress("stopping")
                home.state.unlink(missing_ok=True)


def _make_plan(home: Home, source: Source, gateway_port: int) -> ProcessPlan:
    chrome = find_chrome()
    secrets = load_or_create(home.secrets)
    postgres.prepare(home, secrets)
    ports = Ports(gateway_port, *free_ports(8))
    if source.stand_in:
        source = replace(source, url=stand_in_url(ports))
    return ProcessPlan(home, ports, secrets, chrome, source)


def _check_telemetry() -> None:
    """Check the telemetry settings before anything starts, because every process would refuse invalid ones."""
    try:
        load(TelemetrySettings)
    except SettingsRefused as reason:
        raise StackError(str(reason)) from None


def _check_site(home: Home, source: Source) -> None:
    """Store which site the home is for. Raises StackError if that would mix made-up and real companies."""
    local = source.stand_in or is_loopback(source.url)
    previous = home.site.read_text().strip() if home.site.exists() else None
    if previous is not None and is_loopback(previous) != local:
        raise StackError(
            f"{home.path} holds companies from {previous}; use another --home for those from"
            f" {source.url or 'the stand-in site'}"
        )
    home.site.write_text(f"{source.url or f'http://{LOOPBACK}'}\n")


def _describe(plan: ProcessPlan, supervisor: Supervisor) -> RunningPlatform:
    return RunningPlatform(
        pid=os.getpid(),
        gateway_url=f"http://{LOOPBACK}:{plan.ports.gateway}",
        dagster_url=f"http://{LOOPBACK}:{plan.ports.gateway}{DAGSTER_PATH}/",
        site_url=plan.source.url,
        supervisor_socket=supervisor.socket,
        ports=asdict(plan.ports),
    )


def _start(
    plan: ProcessPlan,
    started: list[Program],
    supervisor: Supervisor,
    *,
    recover: bool,
    report_progress: Progress,
) -> None:
    report_progress("starting PostgreSQL and Valkey")
    supervisor.start(STORES)
    postgres.wait_until_ready(plan.ports.postgres, plan.secrets)
    made = postgres.create_databases(plan.ports.postgres, plan.secrets)
    setup = [DATABASES]
    # Dagster's first process creates Dagster's tables. If two processes did so at the same time, one of them would
    # fail. So on a new database, `stack.recover` creates them before the other processes start.
    if recover or database_roles.DAGSTER_DATABASE in made:
        setup.append(RECOVERY)
    _set_up(plan.home, supervisor, setup)
    plan.home.restored_marker.unlink(missing_ok=True)
    report_progress("starting Dagster, the API and the gateway")
    supervisor.start(PLATFORM)
    _wait_until_ready(plan, started, supervisor)


def _set_up(home: Home, supervisor: Supervisor, names: Sequence[str]) -> None:
    """Run the programs of SETUP with these names to their end. Raises StackError for a program that fails."""
    for name in names:
        supervisor.start_process(name)
    for name in names:
        while (code := supervisor.exit_code(name)) is None:
            time.sleep(_POLL_SECONDS)
        if code != 0:
            raise _failed(home, name, "failed")


def _wait_until_ready(plan: ProcessPlan, started: list[Program], supervisor: Supervisor) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    missing = "nothing answered yet"
    with httpx.Client(trust_env=False, timeout=10) as http:
        while time.monotonic() < deadline:
            check_processes(plan.home, supervisor.states())
            try:
                missing = _missing(plan, started, http)
                if not missing:
                    return
            except (httpx.HTTPError, ValueError):
                pass
            time.sleep(_POLL_SECONDS)
    raise StackError(
        f"the platform was not ready within {_READY_SECONDS} s ({missing}); logs: {plan.home.logs}"
    )


def _missing(plan: ProcessPlan, started: list[Program], http: httpx.Client) -> str:
    """Return what is not ready yet, or nothing. Raises an error if the gateway or a webserver does not answer."""
    response = http.get(f"http://{LOOPBACK}:{plan.ports.gateway}/health/")
    if response.status_code != httpx.codes.OK:
        parts = response.json().get("parts", {})
        return "; ".join(f"{name}: {state}" for name, state in parts.items() if state != "ok") or "the API"
    # The platform's health check does not cover the read-only web UI.
    readonly = f"http://{LOOPBACK}:{plan.ports.dagster_readonly}{DAGSTER_PATH}/server_info"
    if not http.get(readonly, headers={KEY_HEADER: plan.secrets.dagster}).is_success:
        return "Dagster's read-only web UI"
    return "" if _run_server_is_ready(started) else "the run server"


def _run_server_is_ready(started: list[Program]) -> bool:
    """Return whether the run server, if there is one, has imported everything and accepts connections."""
    for socket in (program.environment[RUN_SERVER] for program in started if program.name == "runs"):
        try:
            local_socket.connect(Path(socket), timeout=1).close()
        except OSError:
            return False
    return True


def check_processes(home: Home, states: Mapping[str, str]) -> None:
    """Raise StackError, with the end of the log, for a process that fails to start.

    `states` are the supervisor's states by process name.
    """
    for name, state in states.items():
        if state == "FATAL":  # the supervisor restarts a process that is EXITED
            raise _failed(home, name, "does not start")


def _failed(home: Home, name: str, how: str) -> StackError:
    log = home.logs / f"{name}.log"
    return StackError(f"{name} {how}; the end of its log ({log}):\n{_tail(log.read_text(errors='replace'))}")


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.splitlines()[-lines:])
