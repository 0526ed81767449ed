"""Deployment files: they name existing settings, contain no secrets, and are accepted by their tools."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.settings import ApiSettings
from pipeline.settings import PipelineSettings
from stack.home import PROJECT
from stack.instance import Launcher, instance_yaml, launcher_named
from stack.stack_error import StackError

TASKS = sorted((PROJECT / "deploy" / "aws" / "tasks").glob("*.json"))
SECRET_WORDS = ("_URL", "SECRET", "KEY", "PASSWORD")
OPEN_URLS = {"REGISTRU_SITE_URL", "REGISTRU_DAGSTER_URL"}


def container(task: Path) -> dict[str, Any]:
    """Return a task's container definition, filled in as Terraform does it."""
    values = {
        "${image}": "registry.example.org/registru:0.1.0",
        "${region}": "eu-central-1",
        "${log_group}": "/registru/task",
        "${secret}": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:registru",
        "${site_rate}": "1",
    }
    text = task.read_text()
    for name, value in values.items():
        text = text.replace(name, value)
    assert "${" not in text
    [definition] = json.loads(text)
    assert isinstance(definition, dict)
    return definition


def variables(container: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a container, with placeholders for secrets."""
    secrets = {secret["name"]: "x" * 40 for secret in container.get("secrets", [])}
    return {**secrets, **{variable["name"]: variable["value"] for variable in container["environment"]}}


def required(settings: type[ApiSettings] | type[PipelineSettings]) -> set[str]:
    """Return the environment variables of the required settings."""
    return {
        f"REGISTRU_{name.upper()}" for name, field in settings.model_fields.items() if field.is_required()
    }


def text_with_variables() -> str:
    """Return the text of all files outside of deploy/ that use or describe environment variables."""
    files = [
        *(PROJECT / "dagster_home").glob("*.yaml"),
        *(PROJECT / "deploy").glob("*/dagster.yaml"),
        *(PROJECT / "gateway").glob("Caddyfile"),
        *(PROJECT / "pipeline").glob("*.py"),
        PROJECT / "docs" / "secrets.md",
        PROJECT / "workspace.yaml",
    ]
    fields = [*ApiSettings.model_fields, *PipelineSettings.model_fields]
    return "\n".join(
        [*(path.read_text() for path in files), *(f"REGISTRU_{name.upper()}" for name in fields)]
    )


def test_deployments_use_only_existing_settings() -> None:
    manifests = yaml.safe_load_all((PROJECT / "deploy" / "kubernetes" / "registru.yaml").read_text())
    names = {name for task in TASKS for name in variables(container(task))}
    for manifest in manifests:
        names |= set(manifest.get("data", {}))
        # The job that prepares the databases has other settings; `make compose-check` runs it with them.
        if manifest["kind"] == "Job":
            continue
        for pod in manifest.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            names |= {variable["name"] for variable in pod["env"]}
    text = text_with_variables()
    unknown = {name for name in names if name.startswith("REGISTRU_") and name not in text}
    assert unknown == set()


@pytest.mark.parametrize(
    ("task", "settings", "service"),
    [
        ("api", ApiSettings, "API"),
        ("code", PipelineSettings, "pipeline"),
        ("run", PipelineSettings, "pipeline"),
    ],
)
def test_task_gets_each_required_setting_directly_or_from_its_secret(
    task: str, settings: type[ApiSettings] | type[PipelineSettings], service: str
) -> None:
    names = variables(container(PROJECT / "deploy" / "aws" / "tasks" / f"{task}.json"))
    [row] = [
        line
        for line in (PROJECT / "docs" / "secrets.md").read_text().splitlines()
        if line.startswith(f"| {service}") and "WAREHOUSE_URL" in line
    ]
    secret = {f"REGISTRU_{name}" for name in re.findall(r"`([A-Z_]+)`", row)}
    assert names["REGISTRU_AWS_SECRET_ID"].startswith("arn:aws:secretsmanager:")
    assert required(settings) <= set(names) | secret


def test_each_service_has_a_health_check() -> None:
    checked = {task.stem for task in TASKS if "healthCheck" in container(task)}
    assert checked == {task.stem for task in TASKS} - {"run"}


def test_no_task_contains_a_secret_in_plain_text() -> None:
    for task in TASKS:
        plain = {variable["name"] for variable in container(task)["environment"]}
        assert {name for name in plain - OPEN_URLS if name.endswith(SECRET_WORDS)} == set(), task.name


def test_aws_accepts_the_task_definitions() -> None:
    session = pytest.importorskip("botocore.session").get_session()
    validate = pytest.importorskip("botocore.validate").ParamValidator().validate
    shape = session.get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
    for task in TASKS:
        definition = {
            "family": f"registru-{task.stem}",
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "512",
            "memory": "1024",
            "volumes": [{"name": "scratch"}],
            "containerDefinitions": [container(task)],
        }
        assert not validate(definition, shape).has_errors(), validate(definition, shape).generate_report()


def test_launcher_replaces_only_its_own_sections_of_dagster_yaml() -> None:
    usual = yaml.safe_load(instance_yaml(Launcher.WARM))
    celery = yaml.safe_load(instance_yaml(Launcher.CELERY))
    assert celery["storage"] == usual["storage"]
    assert celery["run_launcher"]["class"] == "WatchedCeleryRunLauncher"
    assert celery["run_monitoring"]["enabled"] is True
    assert yaml.safe_load(instance_yaml(Launcher.ECS))["run_launcher"]["class"] == "EcsRunLauncher"


def test_unknown_launcher_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        StackError, match="REGISTRU_LAUNCHER=celry: unknown launcher; allowed: warm, celery, ecs"
    ):
        launcher_named("celry")
