"""Kills, pauses and restarts each part of a platform under load, and looks at what clients saw: `make drill`.

    .venv/bin/python -m benchmarks.drill [--only PART,PART] [--seed N] [--quick]

A platform of its own on a fresh home, against the stand-in site. Ends with 1 if anything was lost, or did not recover.
docs/drill.md tells how to read what comes out.
"""

import argparse
import sys

from benchmarks.command import parser_of
from benchmarks.drill.drill_faults import PARTS
from benchmarks.drill.report import told, write_json, write_markdown
from benchmarks.drill.rounds import DrillPlan, drill


def main() -> int:
    """Run the drill."""
    parser = parser_of("drill", __doc__, quick="only some kills, or those of the parts named")
    parser.add_argument(
        "--only", type=parts_of, default=[], metavar="PART,PART", help=f"of {', '.join(PARTS)} (default: all)"
    )
    parser.add_argument("--seed", type=int, default=1, help="which companies are asked for (default 1)")
    options = parser.parse_args()
    try:
        report = drill(DrillPlan.of(options.only, quick=options.quick, seed=options.seed))
    except AssertionError as stuck:  # what had to come first did not come
        sys.exit(f"the drill could not go on: {stuck}")
    print(told(report))
    options.results.mkdir(parents=True, exist_ok=True)
    write_json(report, options.results / "drill.json")
    write_markdown(report, options.results / "drill.md")
    print(f"written to {options.results}")
    return 0 if report.passed else 1


def parts_of(text: str) -> list[str]:
    """Return the parts that are named, separated by commas. Raises ArgumentTypeError, naming one that there is not."""
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no part; there are {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
