"""The platform as a whole: from nothing to ready, and back to nothing."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import httpx

from pipeline import local_socket
from pipeline.settings import is_loopback
from stack import orphan_processes, postgres
from stack.accounts import ensure_operator
from stack.chrome import find_chrome
from stack.databases import of_server
from stack.home import PROJECT, Home, Running, locked
from stack.migrations import migrate_all
from stack.ports import LOOPBACK, choose, free_ports
from stack.processes import (
    DAGSTER_PATH,
    PLATFORM,
    RUN_SERVER,
    STORES,
    Ports,
    ProcessPlan,
    Program,
    Source,
    common_environment,
    programs,
    stand_in_url,
)
from stack.secrets import load_or_create
from stack.stack_error import StackError
from stack.supervisor import Supervisor, supervised
from telemetry.settings import TelemetrySettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load
from warehouse.contract import KEY_HEADER
from warehouse.schema import database_roles

GATEWAY_PORT = 8000
_READY_SECONDS = 120

Say = Callable[[str], None]


@contextlib.contextmanager
def running(
    home: Home, source: Source, *, port: int | None, say: Say
) -> Iterator[tuple[Running, Supervisor]]:
    """Run the platform; yield when every part answers. Raises StackError naming the part that fails."""
    with locked(home):
        killed = home.state.exists() or home.restored.exists()
        if left := orphan_processes.end_leftovers(home):
            say(f"ended {left} processes that an earlier platform left behind")
        plan = _plan(home, source, port)
        parts = programs(plan)
        with supervised(home, parts) as supervisor:
            try:
                _start(plan, parts, supervisor, killed=killed, say=say)
                platform = _describe(plan, supervisor)
                platform.save(home)
                yield platform, supervisor
            finally:
                say("stopping")
                home.state.unlink(missing_ok=True)


def _plan(home: Home, source: Source, port: int | None) -> ProcessPlan:
    _check_telemetry()
    chrome = find_chrome()
    _keep_apart(home, source)
    secrets = load_or_create(home.secrets)
    postgres.prepare(home, secrets)
    ports = Ports(choose(GATEWAY_PORT, port), *free_ports(8))
    if source.stand_in:
        source = replace(source, url=stand_in_url(ports))
    return ProcessPlan(home, ports, secrets, chrome, source)


def _check_telemetry() -> None:
    """Refuse, before anything starts, what every process would refuse."""
    try:
        load(TelemetrySettings)
    except SettingsRefused as reason:
        raise StackError(str(reason)) from None


def _keep_apart(home: Home, source: Source) -> None:
    """Refuse to mix a stand-in's made-up companies with a real site's in one warehouse."""
    local = source.stand_in or is_loopback(source.url)
    held = home.site.read_text().strip() if home.site.exists() else None
    if held is not None and is_loopback(held) != local:
        raise StackError(
            f"{home.path} holds companies from {held}; keep those from {source.url or 'the stand-in site'} apart"
            " with another --home"
        )
    home.site.write_text(f"{source.url or f'http://{LOOPBACK}'}\n")


def _describe(plan: ProcessPlan, supervisor: Supervisor) -> Running:
    return Running(
        pid=os.getpid(),
        gateway_url=f"http://{LOOPBACK}:{plan.ports.gateway}",
        dagster_url=f"http://{LOOPBACK}:{plan.ports.gateway}{DAGSTER_PATH}/",
        site_url=plan.source.url,
        supervisor_socket=supervisor.socket,
        ports=asdict(plan.ports),
    )


def _start(
    plan: ProcessPlan, parts: list[Program], supervisor: Supervisor, *, killed: bool, say: Say
) -> None:
    say("starting PostgreSQL and Valkey")
    supervisor.start(STORES)
    postgres.wait_until_ready(plan.ports.postgres, plan.secrets)
    made = postgres.create_databases(plan.ports.postgres, plan.secrets)
    with ThreadPoolExecutor() as pool:
        databases = of_server(plan.ports.postgres, plan.secrets)
        tasks: list[Future[object]] = [pool.submit(migrate_all, databases)]
        # Whoever of Dagster's processes comes first makes its tables; two at once, and one of them dies of it.
        if killed or database_roles.DAGSTER_DATABASE in made:
            tasks.append(pool.submit(_recover, plan.home, parts))
        for task in tasks:
            task.result()
    plan.home.restored.unlink(missing_ok=True)
    ensure_operator(plan.database_url(database_roles.API, database_roles.USERS_DATABASE), plan.secrets)
    say("starting Dagster, the API and the gateway")
    supervisor.start(PLATFORM)
    _wait_until_ready(plan, parts, supervisor)


def _recover(home: Home, parts: list[Program]) -> None:
    code = next(part for part in parts if part.name == "code")
    environment = {**common_environment(home), **code.environment}
    subprocess.run([sys.executable, "-m", "stack.recover"], env=environment, cwd=PROJECT, check=True)


def _wait_until_ready(plan: ProcessPlan, started: list[Program], supervisor: Supervisor) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    health = f"http://{LOOPBACK}:{plan.ports.gateway}/health/"
    missing = "nothing answered yet"
    while time.monotonic() < deadline:
        check_processes(plan.home, supervisor.states())
        try:
            response = httpx.get(health, trust_env=False, timeout=10)
            if response.status_code == httpx.codes.OK:
                if _readonly_answers(plan) and _runs_are_warm(started):
                    return
                missing = "Dagster's read-only web UI, or the server of runs, does not answer"
            else:
                parts = response.json().get("parts", {})
                wrong = [f"{name}: {state}" for name, state in parts.items() if state != "ok"]
                missing = "; ".join(wrong) or missing
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.2)
    raise StackError(
        f"the platform was not ready within {_READY_SECONDS} s ({missing}); logs: {plan.home.logs}"
    )


def _readonly_answers(plan: ProcessPlan) -> bool:
    """Tell whether the web UI for readers is up; no part of the platform's health, it is for looking only."""
    url = f"http://{LOOPBACK}:{plan.ports.dagster_readonly}{DAGSTER_PATH}/server_info"
    return httpx.get(url, headers={KEY_HEADER: plan.secrets.dagster}, trust_env=False, timeout=10).is_success


def _runs_are_warm(started: list[Program]) -> bool:
    """Tell whether the server of runs, where there is one, has imported everything."""
    for socket in (part.environment[RUN_SERVER] for part in started if part.name == "runs"):
        try:
            local_socket.connect(Path(socket), timeout=1).close()
        except OSError:
            return False
    return True


def check_processes(home: Home, states: Mapping[str, str]) -> None:
    """Raise StackError for a process that does not start, with the end of its log; `states` are the supervisor's."""
    for name, state in states.items():
        if state == "FATAL":  # one that is EXITED is about to be started again
            log = home.logs / f"{name}.log"
            raise StackError(
                f"{name} does not start; its log: {log}\n{_tail(log.read_text(errors='replace'))}"
            )


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.splitlines()[-lines:])
