"""The command `registru`."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Event
from types import FrameType
from urllib.parse import urlsplit

import httpx

from api.create_admin import add_arguments, create_admin
from api.users.opening import AccountRefused
from pipeline.records.cohorts import COHORTS, OTHERS
from pipeline.settings import LIVE_SITE, is_loopback
from stack import data_commands, evidence_export, postgres
from stack.api_client import ApiClient, operator_client, scrape
from stack.home import DEFAULT_HOME, DEMO_HOME, Home, Running, is_locked
from stack.platform import running
from stack.processes import API, PLATFORM, Source
from stack.retransform_command import retransform
from stack.secrets import load_or_create, rotate_signing_key, signing_keys, write_files
from stack.stack_error import StackError
from stack.supervisor import Supervisor
from warehouse.idno import InvalidIdno, parse_idno
from warehouse.schema import database_roles

_SIDE_BY_SIDE = 4
_STOPPING_SECONDS = 60
_WATCH_SECONDS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status. Errors go to standard error, in a sentence."""
    options = _parser().parse_args(arguments)
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
    parser = argparse.ArgumentParser(prog="registru", description="Moldova's company data, with proof.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = _command(commands, "up", _up, "run the platform in the foreground, until Ctrl-C")
    up.add_argument(
        "--site", type=_site, default=LIVE_SITE, help=f"where /companies/IDNO lives (default {LIVE_SITE})"
    )
    up.add_argument(
        "--site-rate",
        type=_rate,
        default=1.0,
        metavar="N",
        help="visits a second (default 1; 0: no limit, loopback only)",
    )
    _add_port(up)
    ask = _command(commands, "scrape", _scrape, "ask for companies and print them as JSON")
    ask.add_argument("idnos", nargs="+", metavar="IDNO", type=_idno)
    ask.add_argument("--force", action="store_true", help="visit the source even if a fresh record is held")
    _command(commands, "status", _status, "say what runs")
    _command(commands, "down", _down, "stop the platform")
    admin = _command(commands, "create-admin", _create_admin, "open an administrator's account")
    add_arguments(admin)
    again = _command(
        commands,
        "retransform",
        _retransform,
        "read stored captures again where records are stale, no visit needed",
    )
    again.add_argument(
        "--cohort",
        dest="cohorts",
        action="append",
        choices=COHORTS,
        metavar="YEAR",
        help=f"only IDNOs given in this year ({COHORTS[0]} to {COHORTS[-2]}, or {OTHERS}); may be repeated",
    )
    _add_export(commands)
    data_commands.add_commands(lambda name, handler, text: _command(commands, name, handler, text))
    _command(
        commands,
        "rotate-key",
        _rotate_key,
        "make a new key for signing access tokens; a platform that runs takes it at once",
    )
    demo = _command(
        commands, "demo", _demo, "run the main job end to end against the stand-in site", DEMO_HOME
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
    parser.add_argument("--home", type=Path, default=home, help=f"folder of all state (default {home})")
    parser.set_defaults(handler=handler)
    return parser


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "write all evidence on a company to a WARC file, with an index and hashes"
    export = _command(commands, "export-evidence", _export_evidence, text)
    export.add_argument("idno", metavar="IDNO", type=_idno)
    export.add_argument(
        "--output", type=Path, metavar="FILE", help="default evidence-IDNO.warc.gz, the others beside it"
    )
    export.add_argument(
        "--from", dest="first", type=_day, metavar="DATE", help="the first day of captures, in UTC"
    )
    export.add_argument("--to", dest="last", type=_day, metavar="DATE", help="their last day, in UTC")
    export.add_argument("--force", action="store_true", help="overwrite files that exist already")


def _add_port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=_port,
        default=None,
        help="the gateway's port (default 8000, or a free one if it is taken; 0: any)",
    )


def _idno(text: str) -> str:
    try:
        return parse_idno(text)
    except InvalidIdno as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-24") from None


def _site(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is no site: http:// or https:// and a host are needed")
    return text.rstrip("/")


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no rate: visits a second, 0 or more")
    return rate


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _up(options: argparse.Namespace) -> int:
    if options.site_rate == 0 and not is_loopback(options.site):
        raise StackError(f"--site-rate 0 (no limit) is for loopback sites only, not for {options.site}")
    source = Source(options.site, options.site_rate)
    stopped = _on_signals()
    try:
        with running(Home.at(options.home), source, port=options.port, say=_say) as (platform, supervisor):
            print(
                f"ready {platform.gateway_url} (API, documentation at /docs)\n"
                f"Dagster's web UI, after signing in: {platform.dagster_url}\n"
                f"companies from {platform.site_url}; state and logs in {Home.at(options.home).path}; Ctrl-C stops",
                flush=True,
            )
            _watch(stopped, supervisor)
    except _Stopped:
        pass
    return 0


class _Stopped(Exception):
    """A signal came while the platform was starting."""


def _on_signals() -> Event:
    """Have the first SIGINT or SIGTERM stop things in order; a hurry does not change that."""
    stopped = Event()

    def stop(_: int, __: FrameType | None) -> None:
        if not stopped.is_set():
            stopped.set()
            raise _Stopped

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


def _watch(stopped: Event, supervisor: Supervisor) -> None:
    """Wait for a signal; a process that does not start is reported and tried again all the while."""
    reported: set[str] = set()
    while not stopped.wait(_WATCH_SECONDS):
        for name, state in supervisor.states().items():
            if state != "FATAL":
                continue
            if name not in reported:
                _say(f"{name} died and does not start again (see its log); trying on")
                reported.add(name)
            supervisor.start_again(name)


def _say(message: str) -> None:
    print(f"registru: {message} ...", file=sys.stderr, flush=True)


def _scrape(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    platform = Running.of(home)
    with operator_client(platform.gateway_url, load_or_create(home.secrets)) as client:
        results = scrape_all(client, list(dict.fromkeys(options.idnos)), force=options.force)
    print(json.dumps(results, ensure_ascii=False, indent=2))
    return 0 if all(result["state"] in ("succeeded", "not_found") for result in results) else 1


def scrape_all(client: ApiClient, idnos: list[str], *, force: bool) -> list[dict[str, object]]:
    """Ask for several companies, a few side by side."""

    def one(idno: str) -> dict[str, object]:
        return scrape(
            client,
            idno,
            force=force,
            on_state=lambda state: print(f"{idno}: {state}", file=sys.stderr, flush=True),
        )

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return list(pool.map(one, idnos))


def _retransform(options: argparse.Namespace) -> int:
    def say(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    runs = retransform(Home.at(options.home), options.cohorts or (), say=say)
    if not runs:
        print("no record is stale")
    return 0 if all(run.status == "SUCCESS" for run in runs) else 1


def _status(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    platform = Running.of(home)
    print(f"gateway {platform.gateway_url}\nDagster {platform.dagster_url}\nsite    {platform.site_url}")
    for name, state in Supervisor(platform.supervisor_socket).states().items():
        print(f"{name:<18} {state}")
    health = httpx.get(f"{platform.gateway_url}/health/", trust_env=False, timeout=10)
    for name, state in health.json().get("parts", {}).items():
        print(f"{name:<18} {state}")
    for pause in health.json().get("pauses", []):
        print(f"{pause['host']:<18} left alone until {pause['until']}: {pause['reason']}")
    return 0 if health.status_code == httpx.codes.OK else 1


def _create_admin(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    platform = Running.of(home)
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


def _export_evidence(options: argparse.Namespace) -> int:
    exported = evidence_export.export(
        Home.at(options.home),
        options.idno,
        output=options.output,
        first=options.first,
        last=options.last,
        overwrite=options.force,
    )
    print(evidence_export.told(exported))
    return 0


def _rotate_key(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    rotated = rotate_signing_key(home.secrets)
    when = "from the next start on"
    if is_locked(home) and home.state.exists():
        write_files(home.secret_files / API, signing_keys(rotated))
        Supervisor(Running.of(home).supervisor_socket).signal(PLATFORM, API, signal.SIGHUP)
        when = "from now on"
    print(f"a new key signs access tokens {when}; those signed so far stay good until they expire")
    return 0


def _down(options: argparse.Namespace) -> int:
    home = Home.at(options.home)
    os.kill(Running.of(home).pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOPPING_SECONDS
    while is_locked(home):
        if time.monotonic() > deadline:
            raise StackError(f"the platform at {home.path} did not stop within {_STOPPING_SECONDS} s")
        time.sleep(0.1)
    print("stopped")
    return 0


def _demo(options: argparse.Namespace) -> int:
    _on_signals()
    try:
        from stack.demo import run_demo  # with the stand-in site, which is in no image

        return run_demo(Home.at(options.home), port=options.port)
    except _Stopped:
        return 130


if __name__ == "__main__":
    sys.exit(main())
