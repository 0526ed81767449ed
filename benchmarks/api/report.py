"""The results as text and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.api.rounds import ApiReport


def as_text(report: ApiReport) -> str:
    """Return the results as text for the terminal."""
    return "\n".join(_lines(report))


def ratios(report: ApiReport) -> dict[str, dict[str, float]]:
    """Return, for each number of clients, the ratios of the API's medians to those of the smallest endpoint."""
    return {
        str(clients): {
            name: round(report.ratio(clients, name), 2) for name in ("per_second", "p50_ms", "p99_ms")
        }
        for clients in report.plan.clients
    }


def write_json(report: ApiReport, path: Path) -> None:
    """Write all results as JSON, including the values of each round."""
    whole = {**asdict(report), "times_the_smallest_endpoint": ratios(report)}
    path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def _lines(report: ApiReport) -> Iterator[str]:
    machine, plan = report.machine, report.plan
    yield (
        f"{machine.cores} cores, {machine.memory_gigabytes} GB, Python {machine.python}, {machine.measured_at};"
        f" {plan.rounds} rounds of {plan.seconds} s, records of {report.kilobytes_a_record} kB; {report.cores}"
    )
    yield f"{'clients':>7}  {'server':18}{'responses/s':>22}{'p50, ms':>22}{'p99, ms':>22}"
    for row in report.rows:
        values = (
            _spread(row.per_second, digits=0),
            _spread(row.p50_ms, digits=2),
            _spread(row.p99_ms, digits=2),
        )
        yield f"{row.clients:>7}  {row.server:18}" + "".join(f"{value:>22}" for value in values)
    for clients, each in ratios(report).items():
        yield (
            f"{clients} clients: {each['per_second']} of the smallest endpoint's throughput,"
            f" {each['p99_ms']} times its p99"
        )


def _spread(values: Sequence[float], *, digits: int) -> str:
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} ({low}..{high})"
