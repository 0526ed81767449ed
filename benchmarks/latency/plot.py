"""Plot of the results: for each variant, the seconds of each company."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.latency.rounds import LatencyReport


def write_plot(report: LatencyReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    names = list(report.seconds)
    axes.boxplot(list(report.seconds.values()), orientation="horizontal", tick_labels=names, widths=0.6)
    axes.set(title="seconds from the request to the record")
    axes.set_xlim(left=0)
    axes.invert_yaxis()
    for index, name in enumerate(names, start=1):
        axes.text(max(report.seconds[name]), index, f"  {report.median(name):.2f}", va="center")
    figure.savefig(path, dpi=120)
