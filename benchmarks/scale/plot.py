"""Plot of the results: the time of each operation at each size, divided by its time at the smallest size."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.scale.report import AIM
from benchmarks.scale.rounds import ScaleReport


def write_plot(report: ScaleReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for number, name in enumerate(report.milliseconds):
        ratios = report.ratios(name)
        axes.plot(list(ratios), list(ratios.values()), "o-" if number < 10 else "s--", label=name)
    axes.axhline(AIM, color="black", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", yscale="log", xlabel="companies", title="time relative to the smallest size")
    axes.legend(loc="upper left", fontsize=7)
    figure.savefig(path, dpi=120)
