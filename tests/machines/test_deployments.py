"""What is deployed elsewhere fits what is here: settings that exist, no secret in the clear, files that tools take."""

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
    """Return a task's container, as Terraform fills it in."""
    filled = {
        "${image}": "registry.example.org/registru:0.1.0",
        "${region}": "eu-central-1",
        "${log_group}": "/registru/task",
        "${secret}": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:registru",
        "${site_rate}": "1",
    }
    text = task.read_text()
    for name, value in filled.items():
        text = text.replace(name, value)
    assert "${" not in text
    [found] = json.loads(text)
    assert isinstance(found, dict)
    return found


def told(container: dict[str, Any]) -> dict[str, str]:
    """Return the variables that a container is told, secret ones with something in their place."""
    secrets = {each["name"]: "x" * 40 for each in container.get("secrets", [])}
    return {**secrets, **{each["name"]: each["value"] for each in container["environment"]}}


def required(settings: type[ApiSettings] | type[PipelineSettings]) -> set[str]:
    """Return the variables without which settings are not complete."""
    return {
        f"REGISTRU_{name.upper()}" for name, field in settings.model_fields.items() if field.is_required()
    }


def known() -> str:
    """Return all that speaks of variables outside of deploy/."""
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


def test_every_setting_of_a_deployment_exists() -> None:
    manifests = yaml.safe_load_all((PROJECT / "deploy" / "kubernetes" / "registru.yaml").read_text())
    names = {name for task in TASKS for name in told(container(task))}
    for manifest in manifests:
        names |= set(manifest.get("data", {}))
        # (What prepares the databases has settings of its own, which a test runs it with: compose-check.)
        if manifest["kind"] == "Job":
            continue
        for pod in manifest.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            names |= {each["name"] for each in pod["env"]}
    unknown = {name for name in names if name.startswith("REGISTRU_") and name not in known()}
    assert unknown == set()


@pytest.mark.parametrize(
    ("task", "settings", "service"),
    [
        ("api", ApiSettings, "API"),
        ("code", PipelineSettings, "pipeline"),
        ("run", PipelineSettings, "pipeline"),
    ],
)
def test_a_task_is_told_all_that_it_must_know_or_reads_it_from_its_secret(
    task: str, settings: type[ApiSettings] | type[PipelineSettings], service: str
) -> None:
    names = told(container(PROJECT / "deploy" / "aws" / "tasks" / f"{task}.json"))
    [row] = [
        line
        for line in (PROJECT / "docs" / "secrets.md").read_text().splitlines()
        if line.startswith(f"| {service}") and "WAREHOUSE_URL" in line
    ]
    secret = {f"REGISTRU_{name}" for name in re.findall(r"`([A-Z_]+)`", row)}
    assert names["REGISTRU_AWS_SECRET_ID"].startswith("arn:aws:secretsmanager:")
    assert required(settings) <= set(names) | secret


def test_a_service_that_hangs_is_replaced() -> None:
    watched = {task.stem for task in TASKS if "healthCheck" in container(task)}
    assert watched == {task.stem for task in TASKS} - {"run"}


def test_no_task_has_a_secret_in_the_clear() -> None:
    for task in TASKS:
        clear = {each["name"] for each in container(task)["environment"]}
        assert {name for name in clear - OPEN_URLS if name.endswith(SECRET_WORDS)} == set(), task.name


def test_amazon_takes_the_task_definitions() -> None:
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


def test_a_launcher_brings_its_own_sections_and_leaves_the_others() -> None:
    usual = yaml.safe_load(instance_yaml(Launcher.WARM))
    celery = yaml.safe_load(instance_yaml(Launcher.CELERY))
    assert celery["storage"] == usual["storage"]
    assert celery["run_launcher"]["class"] == "WatchedCeleryRunLauncher"
    assert celery["run_monitoring"]["enabled"] is True
    assert yaml.safe_load(instance_yaml(Launcher.ECS))["run_launcher"]["class"] == "EcsRunLauncher"


def test_a_launcher_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(StackError, match="REGISTRU_LAUNCHER=celry: there are warm, celery, ecs"):
        launcher_named("celry")
