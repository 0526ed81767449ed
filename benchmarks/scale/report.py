"""The results as a table and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.scale.many_companies import CAPTURES
from benchmarks.scale.rounds import ScaleReport

AIM = 2.0
"""Target: at each size, an operation takes at most this many times as long as at the smallest size."""


def as_text(report: ScaleReport) -> str:
    """Return the results as a table for the terminal."""
    return "\n".join(_lines(report))


def write_json(report: ScaleReport, path: Path) -> None:
    """Write the results as JSON. For each operation and size, write the quartiles of the times, not every time."""
    whole = asdict(report)
    whole["milliseconds"] = {
        name: {
            size: {
                "median": round(median(values), 3),
                "quartiles": [round(value, 3) for value in _quartiles(values)],
                "times": len(values),
                "ratio": round(report.ratios(name)[size], 2),
            }
            for size, values in sizes.items()
        }
        for name, sizes in report.milliseconds.items()
    }
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def _lines(report: ScaleReport) -> Iterator[str]:
    machine, sizes = report.machine, report.plan.sizes
    yield (
        f"{machine.cores} cores, {machine.memory_gigabytes} GB, Python {machine.python}, {machine.measured_at};"
        f" {CAPTURES} captures and {CAPTURES} finished scrapes per company; tables vacuumed and analyzed"
    )
    yield f"{'ms: median (quartiles)':32}" + "".join(f"{size:>24}" for size in sizes) + f"{'ratio':>8}"
    for name, values in report.milliseconds.items():
        ratio = report.ratios(name)[sizes[-1]]
        cells = "".join(f"{_cell(values[size]):>24}" for size in sizes)
        yield f"{name:32}{cells}{ratio:7.2f}{' ' if max(report.ratios(name).values()) <= AIM else '!'}"
    yield from _in_total(report)


def _in_total(report: ScaleReport) -> Iterator[str]:
    yield f"{'list companies, all stale, s':32}" + "".join(
        f"{seconds:24.2f}" for seconds in report.all_stale_seconds.values()
    )
    yield f"{'re-transformed a second':32}" + "".join(
        f"{median(values):24.0f}" for values in report.retransformed_per_second.values()
    )
    yield (
        f"re-transformed a second at {report.plan.sizes[-1]} companies, by number of stale ones: "
        + ", ".join(
            f"{per_second:.0f} of {many}" for many, per_second in report.of_so_many_per_second.items()
        )
    )
    yield "seconds to fill: " + ", ".join(
        f"{size}: {seconds}" for size, seconds in report.filling_seconds.items()
    )


def _cell(values: Sequence[float]) -> str:
    low, high = _quartiles(values)
    return f"{median(values):.2f} ({low:.2f}..{high:.2f})"


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
