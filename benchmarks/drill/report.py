"""The drill's report as Markdown (also printed) and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.drill.rounds import DrillReport, Round
from benchmarks.drill.samples import LONG_SECONDS, SampleResult, SampleTally

_COUNTS = ("ok", "503", "cut", "wrong", "silent", f"over {LONG_SECONDS:g} s")


def as_markdown(report: DrillReport) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(report))


def write_json(report: DrillReport, path: Path) -> None:
    """Write all results as JSON."""
    path.write_text(
        json.dumps({"passed": report.passed, **asdict(report)}, indent=2) + "\n", encoding="utf-8"
    )


def write_markdown(report: DrillReport, path: Path) -> None:
    """Write the report as Markdown."""
    path.write_text(as_markdown(report) + "\n", encoding="utf-8")


def _lines(report: DrillReport) -> Iterator[str]:
    machine = report.machine
    yield (
        f"{machine.cores} cores, {machine.memory_gigabytes} GB, Python {machine.python}, {machine.chrome},"
        f" {machine.measured_at}; seed {report.seed}, {report.seconds:.0f} s"
    )
    yield ""
    head = (
        "fault",
        "requests",
        *_COUNTS,
        "longest, s",
        "recovered, s",
        "companies",
        "extra visits",
        "problems",
    )
    yield from _table(head, [_row(each) for each in report.rounds])
    yield ""
    yield from _table(
        ("fault", "kind of request", "requests", *_COUNTS, "p50, ms", "longest, s"),
        [
            _kind_row(each.name, tally)
            for each in report.rounds
            for tally in each.kinds
            if not tally.is_normal
        ],
    )
    yield ""
    problems = [f"{each.name}: {problem}" for each in report.rounds for problem in each.problems]
    problems += [
        f"{each.name}: not recovered in time" for each in report.rounds if each.recovered_seconds is None
    ]
    problems += report.problems
    yield from (f"- {problem}" for problem in problems)
    yield "Every part recovered, and nothing was lost." if report.passed else f"{len(problems)} problems."


def _row(each: Round) -> Sequence[str]:
    recovered = "never" if each.recovered_seconds is None else f"{each.recovered_seconds:.1f}"
    problems = str(len(each.problems)) if each.problems else "none"
    longest = f"{each.total.longest_seconds:.1f}"
    return (
        each.name,
        *_counts(each.total),
        longest,
        recovered,
        str(each.companies),
        str(each.visited_again),
        problems,
    )


def _kind_row(name: str, tally: SampleTally) -> Sequence[str]:
    return (name, tally.kind, *_counts(tally), f"{tally.p50_ms:.0f}", f"{tally.longest_seconds:.1f}")


def _counts(tally: SampleTally) -> Sequence[str]:
    counts = [tally.counts[result] for result in SampleResult]
    return [str(sum(counts)), *map(str, counts), str(tally.over_long)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for number, row in enumerate((head, *rows)):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
