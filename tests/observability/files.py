"""The files for Prometheus and Grafana, and the names of metrics in them."""

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
    """Return every rule."""
    read = yaml.safe_load(RULES.read_text())
    return [rule for group in read["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    """Return every query of the dashboard."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def expressions() -> list[str]:
    """Return every expression there is."""
    return [*(rule["expr"] for rule in rules()), *queries()]


def metrics() -> set[str]:
    """Return the metrics that are named."""
    return set(_found(_METRIC))


def documented() -> set[str]:
    """Return the metrics that the documentation explains."""
    return set(_METRIC.findall((PROJECT / "docs" / "observability.md").read_text()))


def recorded() -> set[str]:
    """Return the recorded series that are named."""
    return set(_found(_RECORDED))


def _found(pattern: re.Pattern[str]) -> Iterator[str]:
    for expression in expressions():
        yield from pattern.findall(expression)
