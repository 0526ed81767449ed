"""The results as text and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.transform.rounds import PLAIN, TransformReport


def as_text(report: TransformReport) -> str:
    """Return the results as text for the terminal."""
    return "\n".join(_lines(report))


def write_json(report: TransformReport, path: Path) -> None:
    """Write all results as JSON, including the values of each round."""
    whole = {**asdict(report), "times_the_plain_loop": round(report.ratio, 2)}
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def _lines(report: TransformReport) -> Iterator[str]:
    machine, plan = report.machine, report.plan
    yield (
        f"{machine.cores} cores, {machine.memory_gigabytes} GB, Python {machine.python}, {machine.measured_at};"
        f" {plan.rounds} rounds of {plan.captures} captures of {report.kilobytes_a_capture} kB"
    )
    yield f"only reading, one core: {_spread(report.read_per_second)} documents/s"
    plain = median(report.per_second[PLAIN])
    yield "captures/s from PostgreSQL into PostgreSQL:"
    for name, values in report.per_second.items():
        yield f"  {name:24}{_spread(values):24}{median(values) / plain:6.1f} x the plain loop"
    yield f"{plan.many} captures, 2 processes: {report.many_per_second:.0f} captures/s"
    yield "peak memory of all our processes: " + ", ".join(
        f"{peak:.0f} MB at {count} captures" for count, peak in report.peaks.items()
    )
    yield f"nothing stale among {plan.many}: {_spread(report.nothing_stale_seconds, digits=3)} s to find out"


def _spread(values: Sequence[float], *, digits: int = 0) -> str:
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} ({low}..{high})"
