"""The CI workflows have minimal permissions and run only pinned actions."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.home import PROJECT

GITHUB = PROJECT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
NIGHTLY = GITHUB / "workflows" / "nightly.yml"
_USES = re.compile(r"^\s*(?:- )?uses: (?P<action>\S+?)@(?P<commit>\S+)(?P<comment>.*)$", re.M)


def _named(path: Path) -> str:
    return path.name


def _jobs(workflow: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load(workflow.read_text())["jobs"]
    return jobs


@pytest.mark.usefixtures("starts_stores")
def test_scanner_finds_no_problem_in_the_workflows() -> None:
    zizmor = Path(sys.executable).parent / "zizmor"
    command = [str(zizmor), "--offline", "--quiet", "--no-progress", "--color", "never", str(GITHUB)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("starts_stores")
@pytest.mark.parametrize(
    ("schema", "files"), [("github-workflows", WORKFLOWS), ("dependabot", [GITHUB / "dependabot.yml"])]
)
def test_workflow_files_match_their_schemas(schema: str, files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_action_is_pinned_to_one_commit() -> None:
    used = [match for workflow in WORKFLOWS for match in _USES.finditer(workflow.read_text())]
    assert used
    for match in used:
        assert re.fullmatch(r"[0-9a-f]{40}", match["commit"]), match[0]
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", match["comment"]), match[0]
    assert len({(match["action"], match["commit"], match["comment"]) for match in used}) == len(
        {match["action"] for match in used}
    )


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=_named)
def test_jobs_declare_their_permissions_and_have_a_timeout(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text())["permissions"] == {}
    for name, job in _jobs(workflow).items():
        assert job["permissions"], name
        assert "uses" in job or job["timeout-minutes"] <= (180 if workflow == NIGHTLY else 90), name


def test_only_a_release_can_write_and_it_builds_without_a_cache() -> None:
    writing = {
        (workflow.name, name)
        for workflow in WORKFLOWS
        for name, job in _jobs(workflow).items()
        if "write" in job["permissions"].values()
    }
    assert writing == {("release.yml", "publish")}
    [build] = [
        step
        for step in _jobs(GITHUB / "workflows" / "release.yml")["publish"]["steps"]
        if step.get("id") == "build"
    ]
    assert build["with"]["no-cache"] is True
    assert not {"cache-from", "cache-to", "tags"} & set(build["with"])


def test_every_image_is_built_scanned_and_published() -> None:
    built = _jobs(GITHUB / "workflows" / "ci.yml")["images"]["strategy"]["matrix"]["image"]
    published = _jobs(GITHUB / "workflows" / "release.yml")["publish"]["strategy"]["matrix"]["image"]
    assert built == published
    compose = PROJECT / "docker-compose.yml"
    used = re.findall(r"image: registru-(\w+):", compose.read_text()) if compose.exists() else built
    assert set(built) == set(used)
