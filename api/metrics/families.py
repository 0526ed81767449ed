"""Helpers that create Prometheus metric families."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

Labels = str | tuple[str, ...]


def gauge(name: str, meaning: str, value: float | None) -> list[Metric]:
    """Return a gauge without labels; an empty list if the value is unknown."""
    return [] if value is None else [GaugeMetricFamily(name, meaning, value=float(value))]


def gauges(
    name: str, meaning: str, labels: Sequence[str], values: Iterable[tuple[Labels, float]]
) -> list[Metric]:
    """Return a gauge with labels; `values` are pairs: the values of the labels, and the value of the gauge."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for label_values, value in values:
        family.add_metric([label_values] if isinstance(label_values, str) else label_values, float(value))
    return [family]
