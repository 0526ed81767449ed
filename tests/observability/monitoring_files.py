"""Reads the files for Prometheus and Grafana: rules, queries and the metrics that they use."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from stack.home import PROJECT

FOLDER = PROJECT / "deploy" / "observability"
RULES, CONFIG = FOLDER / "rules.yml", FOLDER / "prometheus.yml"
RULES_TEST = FOLDER / "rules_test.yml"
DASHBOARD = FOLDER / "grafana" / "dashboard.json"

_METRIC = re.compile(r"\bregistru_[a-z0-9_]+")
_RECORDED = re.compile(r"\bregistru:[a-z0-9_:]+")


def rules() -> list[dict[str, Any]]:
    """Return all recording and alerting rules."""
    content = yaml.safe_load(RULES.read_text())
    return [rule for group in content["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    """Return all queries of the dashboard."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def expressions() -> list[str]:
    """Return all expressions of the rules and the dashboard."""
    return [*(rule["expr"] for rule in rules()), *queries()]


def used_metrics() -> set[str]:
    """Return the names of the metrics that expressions use."""
    return set(_matches(_METRIC))


def documented_metrics() -> set[str]:
    """Return the names of the metrics that the documentation explains."""
    return set(_METRIC.findall((PROJECT / "docs" / "observability.md").read_text()))


def used_recordings() -> set[str]:
    """Return the names of the recorded series that expressions use."""
    return set(_matches(_RECORDED))


def _matches(pattern: re.Pattern[str]) -> Iterator[str]:
    for expression in expressions():
        yield from pattern.findall(expression)
