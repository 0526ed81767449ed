"""Keeps cases as they are read now, after the transformation has learned: `python -m tests.cases.renew [NAME ...]`."""

import argparse
import sys
from collections.abc import Sequence

from tests.cases.kept import load, names, renew


def main(arguments: Sequence[str] | None = None) -> int:
    """Renew cases and say what has changed, field by field; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases.renew", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a case (default: all)")
    chosen: list[str] = parser.parse_args(arguments).names or names()
    if unknown := set(chosen) - set(names()):
        parser.error(f"no case is called {', '.join(sorted(unknown))}")
    for name in chosen:
        for field, (before, now) in renew(load(name)).items():
            sys.stdout.write(f"{name}: {field}: {before!r} -> {now!r}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
