"""Plot of the results: the bytes of a first and of an unchanged capture, for each way to store them."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.storage.rounds import FIRST, UNCHANGED, StorageReport


def write_plot(report: StorageReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 3), layout="constrained")
    for axes, kind in zip(figure.subplots(1, 2), (FIRST, UNCHANGED), strict=True):
        bars = {"raw": report.raw} | {
            f"{way}, {how}": size for way, kinds in report.bytes.items() for how, size in kinds[kind].items()
        }
        axes.barh(list(bars), list(bars.values()), color="#1f6f8b")
        axes.set(title=f"{kind} capture, bytes", xlim=(0, max(bars.values()) * 1.2))
        axes.tick_params(labelsize=7)
        for index, size in enumerate(bars.values()):
            axes.text(size, index, f" {size:.0f}", va="center", fontsize=7)
    figure.savefig(path, dpi=120)
