"""The results as a table and as JSON: medians, smallest and largest values, and ratios to the bare loop."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.extract.rounds import ExtractReport, ExtractRow
from benchmarks.extract.ways import BARE, CRAWL, WITHOUT_BODIES

_COLUMNS = "{:20}{:>5}{:>13}{:>17}{:>8}{:>14}{:>8}{:>8}"


def as_text(report: ExtractReport) -> str:
    """Return the results as a table for the terminal."""
    return "\n".join(_lines(report))


def write_json(report: ExtractReport, path: Path) -> None:
    """Write all results as JSON, including the values of each round."""
    whole = {
        "machine": asdict(report.machine),
        "plan": asdict(report.plan),
        "rows": [{**_summary(report, row), **asdict(row)} for row in report.rows],
        "cost_of_bodies": {
            f"{latency} ms": cost_of_bodies(report, latency) for latency in report.plan.latencies_ms
        },
    }
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def cost_of_bodies(report: ExtractReport, latency_ms: int) -> dict[str, float]:
    """Return the cost of capturing bodies: time and CPU of the crawl, divided by those of the crawl without bodies."""
    [without] = (row for row in report.rows if (row.latency_ms, row.name) == (latency_ms, WITHOUT_BODIES))
    with_bodies = report.row(latency_ms, CRAWL, without.tabs)
    return {
        "time": round(median(without.per_second) / median(with_bodies.per_second), 2),
        "cpu": round(median(with_bodies.cpu_seconds) / median(without.cpu_seconds), 2),
    }


def _lines(report: ExtractReport) -> Iterator[str]:
    machine, plan = report.machine, report.plan
    yield (
        f"{machine.cores} cores, {machine.memory_gigabytes} GB, {machine.chrome}, Python {machine.python},"
        f" {machine.measured_at}; {plan.rounds} rounds of {plan.companies} companies"
    )
    for latency in plan.latencies_ms:
        yield f"\nThe site's API takes {latency} ms per response"
        yield _COLUMNS.format(
            "", "tabs", "companies/s", "min..max", "x bare", "CPU s per page", "x bare", "bodies"
        )
        yield from (_line(report, row) for row in report.rows if row.latency_ms == latency)
        cost = cost_of_bodies(report, latency)
        yield f"taking the bodies: {cost['time']} times the time, {cost['cpu']} times the CPU"
    busy = [cores for row in report.rows for cores in row.other_cores]
    yield f"\nOther processes (except the site) kept {median(busy):.1f} cores busy ({_spread(busy)})"


def _line(report: ExtractReport, row: ExtractRow) -> str:
    summary = _summary(report, row)
    return _COLUMNS.format(
        *(row.name, row.tabs, f"{summary['median_per_second']:.2f}", _spread(row.per_second)),
        *(f"{summary['speed_to_bare']:.2f}", f"{summary['median_cpu_seconds']:.2f}"),
        *(f"{summary['cpu_to_bare']:.2f}", row.bodies),
    )


def _summary(report: ExtractReport, row: ExtractRow) -> dict[str, Any]:
    bare = report.row(row.latency_ms, BARE, 1)
    speed, cpu = median(row.per_second), median(row.cpu_seconds)
    return {
        "median_per_second": round(speed, 3),
        "median_cpu_seconds": round(cpu, 3),
        "speed_to_bare": round(speed / median(bare.per_second), 3),
        "cpu_to_bare": round(cpu / median(bare.cpu_seconds), 3),
    }


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.2f}..{max(values):.2f}"
