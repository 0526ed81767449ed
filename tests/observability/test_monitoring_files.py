"""The rules and the dashboard: promtool accepts them, and each alert is tested and documented."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from stack.home import PROJECT
from tests.observability import monitoring_files

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")
ALERTS = [rule["alert"] for rule in monitoring_files.rules() if "alert" in rule]


def promtool(*arguments: str | Path) -> None:
    """Run promtool and expect success."""
    assert PROMTOOL is not None
    command = [PROMTOOL, *map(str, arguments)]
    completed = subprocess.run(
        command, cwd=monitoring_files.FOLDER, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr


@needs_promtool
@pytest.mark.usefixtures("starts_stores")
def test_prometheus_accepts_its_configuration_and_the_rules() -> None:
    promtool("check", "config", monitoring_files.CONFIG)


@needs_promtool
@pytest.mark.usefixtures("starts_stores")
def test_alerts_fire_only_under_their_conditions() -> None:
    promtool("test", "rules", monitoring_files.RULES_TEST)


@needs_promtool
@pytest.mark.usefixtures("starts_stores")
def test_prometheus_accepts_every_query_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query}
        for number, query in enumerate(monitoring_files.queries())
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", path)


def test_every_alert_is_tested() -> None:
    tests = yaml.safe_load(monitoring_files.RULES_TEST.read_text())["tests"]
    checks = [check for test in tests for check in test["alert_rule_test"]]
    tested = {check["alertname"] for check in checks if check["exp_alerts"]}
    assert tested == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_documentation_says_what_to_do_about_each_alert(alert: str) -> None:
    documented = (PROJECT / "docs" / "observability.md").read_text()
    assert f"| `{alert}` |" in documented


def test_every_recorded_series_in_use_has_a_rule() -> None:
    assert monitoring_files.used_recordings() <= {
        rule["record"] for rule in monitoring_files.rules() if "record" in rule
    }


def test_panels_of_the_dashboard_have_unique_ids_and_do_not_overlap() -> None:
    panels = json.loads(monitoring_files.DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for position in (panel["gridPos"] for panel in panels)
        for x in range(position["x"], position["x"] + position["w"])
        for y in range(position["y"], position["y"] + position["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
