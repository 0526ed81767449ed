"""Small helpers that make Prometheus' metric families."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

Labels = str | tuple[str, ...]


def gauge(name: str, meaning: str, value: float | None) -> list[Metric]:
    """Return a value that is, none if it is not known."""
    return [] if value is None else [GaugeMetricFamily(name, meaning, value=float(value))]


def gauges(
    name: str, meaning: str, labels: Sequence[str], values: Iterable[tuple[Labels, float]]
) -> list[Metric]:
    """Return values, each with what its labels say."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for said, value in values:
        family.add_metric([said] if isinstance(said, str) else said, float(value))
    return [family]
