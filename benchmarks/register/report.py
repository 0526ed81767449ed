"""The results as text and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.register.rounds import RegisterReport


def as_text(report: RegisterReport) -> str:
    """Return the results as text for the terminal."""
    return "\n".join(_lines(report))


def write_json(report: RegisterReport, path: Path) -> None:
    """Write all results as JSON, including the values of each round."""
    path.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")


def _lines(report: RegisterReport) -> Iterator[str]:
    machine, plan = report.machine, report.plan
    yield (
        f"{machine.cores} cores, {machine.memory_gigabytes} GB, Python {machine.python}, {machine.measured_at};"
        f" {plan.rounds} rounds, {plan.companies} companies in a file of {report.file_megabytes} MB"
    )
    for way, seconds in report.seconds.items():
        memory = report.megabytes[way]
        yield f"  {way:10} {_spread(seconds, digits=1)} s of CPU time, peak {_spread(memory)} MB"


def _spread(values: Sequence[float], *, digits: int = 0) -> str:
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} ({low}..{high})"
