"""Plot of the results: responses per second, and the 99th percentile of the latency."""

from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.api.rounds import ApiReport
from benchmarks.api.servers import OURS, SMALLEST

_COLOURS = {OURS: "#1f6f8b", SMALLEST: "#b5651d"}
_WIDTH = 0.38


def write_plot(report: ApiReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 3), layout="constrained")
    titles = {"per_second": "cached responses a second", "p99_ms": "p99, ms"}
    for axes, (measure, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for side, server in enumerate((OURS, SMALLEST)):
            middles = [median(getattr(row, measure)) for row in report.rows if row.server == server]
            places = [place + (side - 0.5) * _WIDTH for place in range(len(middles))]
            axes.bar(places, middles, width=_WIDTH, color=_COLOURS[server], label=server)
        clients = [str(each) for each in report.plan.clients]
        axes.set(title=title, xlabel="clients", xticks=range(len(clients)), xticklabels=clients)
    axes.legend()
    figure.savefig(path, dpi=120)
