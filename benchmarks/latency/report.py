"""The results as text and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.latency.rounds import BARE, LatencyReport


def as_text(report: LatencyReport) -> str:
    """Return the results as text for the terminal."""
    return "\n".join(_lines(report))


def write_json(report: LatencyReport, path: Path) -> None:
    """Write all results as JSON, including the seconds of each company."""
    ratios = {name: round(ratio, 2) for name, ratio in report.ratios.items()}
    path.write_text(json.dumps({**asdict(report), "ratios": ratios}, indent=2) + "\n", encoding="utf-8")


def _lines(report: LatencyReport) -> Iterator[str]:
    machine = report.machine
    yield (
        f"{machine.cores} cores, {machine.memory_gigabytes} GB, Python {machine.python}, {machine.chrome},"
        f" {machine.measured_at}; {report.plan.companies} companies, one after another"
    )
    yield f"  {'seconds from request to record':32}{'median':>8}{'p95':>8}{'least':>8}{'most':>8}{'':4}of the bare"
    for way, values in report.seconds.items():
        ratio = report.median(way) / report.median(BARE)
        yield (
            f"  {way:32}{report.median(way):8.2f}{report.p95(way):8.2f}{min(values):8.2f}{max(values):8.2f}"
            f"{ratio:11.2f} x"
        )
    for name, ratio in report.ratios.items():
        yield f"  {name}: {ratio:.2f}"
