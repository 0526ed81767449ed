"""Plot of the results: the CPU time and the peak memory of each reader."""

from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.register.rounds import RegisterReport


def write_plot(report: RegisterReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 2), layout="constrained")
    measured = (("seconds of CPU time", report.seconds), ("peak memory, MB", report.megabytes))
    for axes, (title, values) in zip(figure.subplots(1, 2), measured, strict=True):
        bars = {way: median(rounds) for way, rounds in values.items()}
        axes.barh(list(bars), list(bars.values()), color="#1f6f8b")
        axes.set(title=title, xlim=(0, max(bars.values()) * 1.2))
        axes.tick_params(labelsize=7)
        for index, size in enumerate(bars.values()):
            axes.text(size, index, f" {size:.0f}", va="center", fontsize=7)
    figure.savefig(path, dpi=120)
