"""The results as text and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.backup.rounds import ALONE, BackupReport


def as_text(report: BackupReport) -> str:
    """Return the results as text for the terminal."""
    return "\n".join(_lines(report))


def write_json(report: BackupReport, path: Path) -> None:
    """Write all results as JSON, including the seconds of each round."""
    whole = {**asdict(report), "times_the_bare_program": _ratios(report)}
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def _ratios(report: BackupReport) -> dict[str, float]:
    return {what: round(report.ratio(what), 2) for what in ALONE}


def _lines(report: BackupReport) -> Iterator[str]:
    machine, plan = report.machine, report.plan
    yield (
        f"{machine.cores} cores, Python {machine.python}, {machine.measured_at}; {plan.rounds} rounds,"
        f" {plan.companies} captures: a warehouse of {report.database_megabytes:.0f} MB, a backup of"
        f" {report.backup_megabytes:.0f} MB"
    )
    for what, seconds in report.seconds.items():
        rate = report.database_megabytes / report.middle(what)
        yield (
            f"{what:12}{report.middle(what):8.1f} s ({min(seconds):.1f}..{max(seconds):.1f}), {rate:6.1f} MB/s"
        )
    for what, ratio in _ratios(report).items():
        yield f"{what}: {ratio} times {ALONE[what]} of the warehouse alone"
