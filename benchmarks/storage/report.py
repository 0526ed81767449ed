"""The results as text and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.storage.rounds import FIRST, FULL, OURS, UNCHANGED, StorageReport

MOST_OF_RAW = 0.5
MOST_UNCHANGED = 1024


def as_text(report: StorageReport) -> str:
    """Return the results as text for the terminal."""
    return "\n".join(_lines(report))


def write_json(report: StorageReport, path: Path) -> None:
    """Write all results as JSON."""
    sizes = report.bytes[OURS]
    whole = {
        **asdict(report),
        "first_to_raw": round(sizes[FIRST][FULL] / report.raw, 3),
        "unchanged_bytes": round(sizes[UNCHANGED][FULL]),
    }
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def _lines(report: StorageReport) -> Iterator[str]:
    machine, plan, sizes = report.machine, report.plan, report.bytes[OURS]
    yield (
        f"{machine.cores} cores, Python {machine.python}, {machine.chrome}, {machine.measured_at};"
        f" {plan.companies} companies like {plan.visited} visited ones, {plan.again} unchanged captures each"
    )
    yield f"raw, bytes per capture: {report.raw:.0f} (visited ones: {report.raw_of_visited:.0f})"
    yield f"bodies unchanged at the second visit: {report.unchanged_visits} of {plan.visited}"
    yield f"{'bytes per capture':20}{'':16}{'first':>10}{'of raw':>8}{'unchanged':>12}"
    for way, kinds in report.bytes.items():
        for how, first in kinds[FIRST].items():
            yield f"{way:20}{how:16}{first:10.0f}{first / report.raw:8.2f}{kinds[UNCHANGED][how]:12.0f}"
    for kind, tables in report.by_table.items():
        yield f"{OURS}, {kind}, by table: " + ", ".join(f"{name} {size:.0f}" for name, size in tables.items())
    yield "the visits alone: " + ", ".join(f"{kind} {size:.0f}" for kind, size in report.of_visited.items())
    yield (
        f"targets: first at most {MOST_OF_RAW} of raw: {sizes[FIRST][FULL] / report.raw:.2f};"
        f" unchanged under {MOST_UNCHANGED}: {sizes[UNCHANGED][FULL]:.0f}"
    )
