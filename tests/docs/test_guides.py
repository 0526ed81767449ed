"""The code blocks of the guides: every request, script and query is run against a real platform."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.docs.blocks import code_blocks
from tests.platform_harness import Platform
from warehouse.schema import database_roles


def _run(command: list[str], script: str, *, url: str, folder: Path) -> str:
    environment = {**os.environ, "URL": url, "NO_PROXY": "*"}
    done = subprocess.run(
        command,
        input=script,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_curl_examples_have_the_described_output(platform: Platform, tmp_path: Path) -> None:
    platform.wait_until_healthy()
    script = "set -euo pipefail\n" + "\n".join(code_blocks("api.md", "sh"))
    output = _run(["bash"], script, url=platform.url, folder=tmp_path)
    expected = (
        '"username":"ana"',
        '"success":true',
        "event: status",
        "}204\n",
        '"verdict":"invalid"',
        '"state":"finished"',
        '"statements":[{"year":',
        '"changes":[',
        '"reading":"json"',
        '"status": 404',
        '"status": 422',
        "Ratelimit-Remaining: ",
    )
    assert [part for part in expected if part not in output] == []
    # Other tests' companies may have a similar name.
    found = r'\[(?:\{"idno":"\d{13}","name":[^\[\]]*\},)?\{"idno":"1020999000019","name":'
    assert re.search(found, output), output


def test_python_examples_have_the_described_output(platform: Platform, tmp_path: Path) -> None:
    platform.wait_until_healthy()
    script = "\n".join(code_blocks("api.md", "python"))
    output = _run([sys.executable, "-"], script, url=platform.url, folder=tmp_path)
    expected = (
        "'username': 'mihai'",
        "not_found\n",
        "12 invalid ",
        "finished {",
        " rows\n",
        " 404 ",
        "204\n",
        "422 [{",
    )
    assert [part for part in expected if part not in output] == []


@pytest.mark.parametrize("number", range(len(code_blocks("analyst.md", "sql"))))
def test_sql_examples_run_with_read_access(platform: Platform, number: int) -> None:
    query = code_blocks("analyst.md", "sql")[number]
    with platform.warehouse(database_roles.API) as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(query)).fetchall()


def test_run_config_examples_are_valid_in_the_launchpad(platform: Platform) -> None:
    for config in code_blocks("analyst.md", "yaml"):
        answer = platform.graphql(_IS_VALID, **_selected(config))
        assert answer["isPipelineConfigValid"]["__typename"] == "PipelineConfigValidationValid", (
            config,
            answer,
        )


_IS_VALID = """
query Valid($pipeline: PipelineSelector!, $config: RunConfigData) {
  isPipelineConfigValid(pipeline: $pipeline, runConfigData: $config, mode: "default") {
    __typename
    ... on PipelineConfigValidationInvalid { errors { message } }
  }
}
"""


def _selected(config: str) -> dict[str, object]:
    jobs = {
        "walk_register": "sweep_register",
        "source_data": "scrape_companies",
        "transformed_data": "retransform_companies",
    }
    job = next(job for op, job in jobs.items() if f"  {op}:" in config)
    selector = {
        "repositoryLocationName": "registru",
        "repositoryName": "__repository__",
        "pipelineName": job,
    }
    return {"pipeline": selector, "config": config}
