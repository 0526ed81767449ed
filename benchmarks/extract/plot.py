"""Plot of the results: companies per second by number of tabs, one panel for each latency of the site's API."""

from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.extract.playwright_way import PLAYWRIGHT
from benchmarks.extract.rounds import ExtractReport
from benchmarks.extract.ways import BARE, CRAWL

_COLORS = {CRAWL: "#1f6f8b", PLAYWRIGHT: "#b5651d", BARE: "#666666"}


def write_plot(report: ExtractReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = figure.subplots(1, len(report.plan.latencies_ms), squeeze=False)[0]
    for axes, latency in zip(panels, report.plan.latencies_ms, strict=True):
        _draw(axes, report, latency)
    panels[0].set_ylabel("companies a second")
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=120)


def _draw(axes: Axes, report: ExtractReport, latency_ms: int) -> None:
    tabs = report.plan.tabs
    for name in (CRAWL, PLAYWRIGHT):
        rounds = [report.row(latency_ms, name, number).per_second for number in tabs]
        middles = [median(values) for values in rounds]
        spread = [
            [middle - min(values) for middle, values in zip(middles, rounds, strict=True)],
            [max(values) - middle for middle, values in zip(middles, rounds, strict=True)],
        ]
        axes.errorbar(tabs, middles, yerr=spread, label=name, color=_COLORS[name], marker="o", capsize=3)
    bare = median(report.row(latency_ms, BARE, 1).per_second)
    axes.axhline(bare, label=f"{BARE}, one tab, no bodies", color=_COLORS[BARE], linestyle="--")
    axes.set(title=f"API takes {latency_ms} ms", xlabel="tabs", xticks=tabs)
    axes.set_ylim(bottom=0)
