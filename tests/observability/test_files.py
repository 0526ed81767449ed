"""The rules and the dashboard are whole: promtool takes them, each alert is tested, documented and can be acted on."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from stack.home import PROJECT
from tests.observability import files

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")
ALERTS = [rule["alert"] for rule in files.rules() if "alert" in rule]


def promtool(*arguments: str | Path) -> None:
    """Have promtool check something."""
    assert PROMTOOL is not None
    command = [PROMTOOL, *map(str, arguments)]
    done = subprocess.run(command, cwd=files.FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_takes_its_configuration_and_the_rules() -> None:
    promtool("check", "config", files.CONFIG)


@needs_promtool
def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", files.RULES_TEST)


@needs_promtool
def test_prometheus_understands_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(files.queries())]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", path)


def test_every_alert_is_tested() -> None:
    read = yaml.safe_load(files.RULES_TEST.read_text())
    tested = {
        each["alertname"] for test in read["tests"] for each in test["alert_rule_test"] if each["exp_alerts"]
    }
    assert tested == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_what_to_do_about_an_alert_is_written_down(alert: str) -> None:
    documented = (PROJECT / "docs" / "observability.md").read_text()
    assert f"| `{alert}` |" in documented


def test_what_is_recorded_is_what_is_used() -> None:
    assert files.recorded() <= {rule["record"] for rule in files.rules() if "record" in rule}


def test_the_dashboards_panels_have_ids_of_their_own_and_lie_beside_each_other() -> None:
    panels = json.loads(files.DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
