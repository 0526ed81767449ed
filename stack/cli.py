"""The command `registru`: its options, and the commands that run, query and stop the platform."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import FrameType

import httpx

from api.create_admin import add_arguments
from pipeline.records.cohort_names import COHORTS, OTHERS
from pipeline.settings import LIVE_SITE, is_loopback
from stack import data_commands, postgres, record_commands
from stack.api_client import ApiClient, operator_client, scrape
from stack.command_line import (
    idno_argument,
    port_argument,
    rate_argument,
    report_progress,
    site_argument,
)
from stack.home import DEFAULT_HOME, DEMO_HOME, Home, RunningPlatform, is_locked
from stack.platform import run_platform
from stack.processes import API, PLATFORM, Source
from stack.secrets import load_or_create, rotate_signing_key, signing_keys, write_files
from stack.stack_error import StackError
from stack.supervisor import Supervisor
from warehouse.schema import database_roles

_PARALLEL_REQUESTS = 4
_STOPPING_SECONDS = 60
_WATCH_SECONDS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, and return its exit status. Print an error to standard error."""
    options, unknown = _parser().parse_known_args(arguments)
    if unknown:
        # The parser of the named command shows only the usage of this command, not the list of all commands.
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    handler: Callable[[argparse.Namespace], int] = options.handler
    try:
        return handler(options)
    except StackError as error:
        print(f"registru: {error}", file=sys.stderr)
        return 1
    except httpx.HTTPError as error:
        print(f"registru: the platform does not answer: {error or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="registru",
        description="Fetch, store and serve data on Moldovan companies, with the evidence behind it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = _command(commands, "up", _up, "run the platform in the foreground; Ctrl-C stops it")
    up.add_argument(
        "--site",
        type=site_argument,
        default=LIVE_SITE,
        metavar="URL",
        help=f"site to visit; a company's page is URL/companies/IDNO (default {LIVE_SITE})",
    )
    up.add_argument(
        "--site-rate",
        type=rate_argument,
        default=1.0,
        metavar="N",
        help="maximum number of visits per second (default 1); 0 removes the limit and is allowed only for a site on"
        " this machine (a loopback address)",
    )
    _add_port(up)
    request = _command(
        commands,
        "scrape",
        _scrape,
        "request companies and print their records as JSON; needs the running platform",
    )
    request.add_argument(
        "idnos", nargs="+", metavar="IDNO", type=idno_argument, help=record_commands.IDNO_HELP
    )
    request.add_argument(
        "--force", action="store_true", help="visit the site even if a fresh record is stored"
    )
    _command(
        commands,
        "status",
        _status,
        "show the state of the platform: each process and each part; needs the running platform",
    )
    _command(commands, "down", _down, "stop the running platform")
    admin = _command(
        commands, "create-admin", _create_admin, "create an administrator account; needs the running platform"
    )
    add_arguments(admin)
    stale = _command(
        commands,
        "retransform",
        _retransform,
        "transform stored captures again, without visiting the site, for records that an older version made or that"
        " have a newer capture; needs the running platform",
    )
    stale.add_argument(
        "--cohort",
        dest="cohorts",
        action="append",
        choices=COHORTS,
        metavar="YEAR",
        help=f"only companies with this year in their IDNO ({COHORTS[0]} to {COHORTS[-2]}), or the word {OTHERS} for"
        " all other companies; repeat the option for several cohorts (default: all companies)",
    )
    for group in (record_commands, data_commands):
        group.add_commands(lambda name, handler, text: _command(commands, name, handler, text))
    _command(
        commands,
        "rotate-key",
        _rotate_key,
        "replace the key that signs access tokens; a running platform uses the new key at once, and existing tokens"
        " stay valid until they expire",
    )
    demo = _command(
        commands,
        "demo",
        _demo,
        "start the platform with the stand-in site (made-up companies), request companies, show the results, then stop",
        DEMO_HOME,
    )
    _add_port(demo)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    handler: Callable[[argparse.Namespace], int],
    text: str,
    home: Path = DEFAULT_HOME,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "--home",
        type=Path,
        default=home,
        help=f"folder with all data, secrets and logs of the platform (default {home})",
    )
    parser.set_defaults(handler=handler, parser=parser)
    return parser


def _add_port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=port_argument,
        default=None,
        help="port of the gateway; 0 selects any free port (default 8000 or, if 8000 is taken, any free port)",
    )


def _up(options: argparse.Namespace) -> int:
    if options.site_rate == 0 and not is_loopback(options.site):
        raise StackError(
            f"--site-rate 0 (no limit) is allowed for loopback sites only, not for {options.site}"
        )
    source = Source(options.site, options.site_rate)
    stopped = _stop_on_signals()
    home = Home.at(options.home)
    try:
        with run_platform(home, source, port=options.port, report_progress=report_progress) as (
            platform,
            supervisor,
        ):
            print(
                f"ready {platform.gateway_url} (API, documentation at /docs)\n"
                f"Dagster's web UI, after signing in: {platform.dagster_url}\n"
                f"companies from {platform.site_url}; state and logs in {home.path}; Ctrl-C stops the platform",
                flush=True,
            )
            _restart_failed_processes(stopped, supervisor)
    except _Stopped:
        pass
    return 0


class _Stopped(Exception):
    """SIGINT or SIGTERM has arrived, so the command has to stop."""


def _stop_on_signals() -> Event:
    """Raise _Stopped and set the returned event at the first SIGINT or SIGTERM. Ignore further signals."""
    stopped = Event()

    def stop(_: int, __: FrameType | None) -> None:
        if not stopped.is_set():
            stopped.set()
            raise _Stopped

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


def _restart_failed_processes(stopped: Event, supervisor: Supervisor) -> None:
    """Until a signal sets `stopped`: restart processes that the supervisor has given up because their start failed.

    Each of these processes is reported only once.
    """
    reported: set[str] = set()
    while not stopped.wait(_WATCH_SECONDS):
        for name, state in supervisor.states().items():
            if state != "FATAL":
                continue
            if name not in reported:
                report_progress(f"{name} died and fails to start (see its log); retrying")
                reported.add(name)
            supervisor.start_process(name)


def _scrape(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    platform = RunningPlatform.of(home)
    with operator_client(platform.gateway_url, load_or_create(home.secrets)) as client:
        results = request_companies(client, list(dict.fromkeys(options.idnos)), force=options.force)
    print(json.dumps(results, ensure_ascii=False, indent=2))
    return 0 if all(result["state"] in ("succeeded", "not_found") for result in results) else 1


def request_companies(client: ApiClient, idnos: list[str], *, force: bool) -> list[dict[str, object]]:
    """Request companies, at most `_PARALLEL_REQUESTS` at a time. Return their results in the order of `idnos`."""

    def request(idno: str) -> dict[str, object]:
        return scrape(
            client,
            idno,
            force=force,
            on_state=lambda state: print(f"{idno}: {state}", file=sys.stderr, flush=True),
        )

    with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
        return list(pool.map(request, idnos))


def _retransform(options: argparse.Namespace) -> int:
    # Imported here, as in all commands that need it: it is slow to import.
    from stack.retransform_command import retransform

    def report_run(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    runs = retransform(Home.at(options.home), options.cohorts or (), report_progress=report_run)
    if not runs:
        print("no record is stale")
    return 0 if all(run.status == "SUCCESS" for run in runs) else 1


def _status(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    platform = RunningPlatform.of(home)
    print(f"gateway {platform.gateway_url}\nDagster {platform.dagster_url}\nsite    {platform.site_url}")
    for name, state in Supervisor(platform.supervisor_socket).states().items():
        print(f"{name:<18} {state}")
    health = httpx.get(f"{platform.gateway_url}/health/", trust_env=False, timeout=10)
    for name, state in health.json().get("parts", {}).items():
        print(f"{name:<18} {state}")
    for pause in health.json().get("pauses", []):
        print(f"{pause['host']:<18} paused until {pause['until']}: {pause['reason']}")
    return 0 if health.status_code == httpx.codes.OK else 1


def _create_admin(options: argparse.Namespace) -> int:
    from api.create_admin import create_admin
    from api.users.opening import AccountRefused

    home = Home.at(options.home)
    platform = RunningPlatform.of(home)
    secrets = load_or_create(home.secrets)
    url = postgres.url(
        platform.ports["postgres"], secrets, role=database_roles.API, database=database_roles.USERS_DATABASE
    )
    try:
        create_admin(url, options)
    except AccountRefused as reason:
        raise StackError(str(reason)) from None
    print(f"{options.username} can sign in as an administrator at {platform.gateway_url}/sign-in")
    return 0


def _rotate_key(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    rotated = rotate_signing_key(home.secrets)
    when = "from the next start"
    if is_locked(home) and home.state.exists():
        write_files(home.secret_files / API, signing_keys(rotated))
        Supervisor(RunningPlatform.of(home).supervisor_socket).signal(PLATFORM, API, signal.SIGHUP)
        when = "now"
    print(f"a new key signs access tokens {when}; existing tokens stay valid until they expire")
    return 0


def _down(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    try:
        platform = RunningPlatform.of(home)
    except StackError:
        raise StackError(f"no platform runs at {home.path}; nothing to stop") from None
    os.kill(platform.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOPPING_SECONDS
    while is_locked(home):
        if time.monotonic() > deadline:
            raise StackError(
                f"the platform at {home.path} did not stop within {_STOPPING_SECONDS} s; see {home.logs}"
            )
        time.sleep(0.1)
    print("stopped")
    return 0


def _demo(options: argparse.Namespace) -> int:
    _stop_on_signals()
    try:
        from stack.demo import run_demo  # imported here: it needs the stand-in site, which no image contains

        return run_demo(Home.at(options.home), port=options.port)
    except _Stopped:
        return 130


if __name__ == "__main__":
    sys.exit(main())
