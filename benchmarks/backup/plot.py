"""Plot of the results: the duration of each operation in seconds."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.backup.rounds import BackupReport


def write_plot(report: BackupReport, path: Path) -> None:
    """Write the plot as a PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(8, 2.5), layout="constrained")
    axes = figure.subplots()
    middles = {what: report.middle(what) for what in report.seconds}
    axes.barh(list(middles), list(middles.values()), color="#1f6f8b")
    axes.set(title=f"seconds, {report.database_megabytes:.0f} MB of captures")
    axes.invert_yaxis()
    figure.savefig(path, dpi=120)
