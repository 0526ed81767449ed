"""Update cases to the current transformation: `python -m tests.cases.renew [NAME ...]`."""

import argparse
import sys
from collections.abc import Sequence

from tests.cases.case_store import case_names, load_case, renew_case


def main(arguments: Sequence[str] | None = None) -> int:
    """Update cases and print each changed field; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases.renew", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="name of a case (default: all)")
    chosen: list[str] = parser.parse_args(arguments).names or case_names()
    if unknown := set(chosen) - set(case_names()):
        parser.error(f"unknown case: {', '.join(sorted(unknown))}")
    for name in chosen:
        for field, (before, now) in renew_case(load_case(name)).items():
            sys.stdout.write(f"{name}: {field}: {before!r} -> {now!r}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
