"""Plot of the results: captures per second, and peak memory."""

from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.transform.rounds import TransformReport


def write_plot(report: TransformReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 3), layout="constrained")
    speed, memory = figure.subplots(1, 2)
    names = list(report.per_second)
    middles = [median(report.per_second[name]) for name in names]
    speed.barh(names, middles, color="#1f6f8b")
    speed.set(title="captures a second", xlim=(0, max(middles) * 1.15))
    for index, middle in enumerate(middles):
        speed.text(middle, index, f" {middle:.0f}", va="center")
    counts = [str(count) for count in report.peaks]
    memory.bar(counts, list(report.peaks.values()), color="#b5651d", width=0.5)
    memory.set(title="peak memory, MB", xlabel="captures")
    figure.savefig(path, dpi=120)
