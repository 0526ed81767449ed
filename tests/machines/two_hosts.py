"""Run a batch on two hosts, kill one of them, and print the result: `make two-hosts`."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.machines.shared_batch import batch_of, run_shared_batch, show, two_hosts


def main() -> int:
    """Return 0 if every company reached its expected final state."""
    parser = argparse.ArgumentParser(prog="python -m tests.machines.two_hosts", description=__doc__)
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--companies-a-run", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2, help="visits per second, both hosts together")
    parser.add_argument(
        "--kill-at", type=float, default=0.4, help="part of the batch after which a host is killed"
    )
    options = parser.parse_args()
    console = Console(width=100)
    with (
        tempfile.TemporaryDirectory(prefix="registru-two-hosts-") as folder,
        two_hosts(Path(folder), rate=options.rate, companies_per_run=options.companies_a_run) as (
            platform,
            hosts,
        ),
    ):
        kind = "network namespaces" if hosts[0].namespace else "separate homes and processes"
        console.print(f"two hosts ({kind}), one platform at {platform.url}")
        result = run_shared_batch(
            platform, hosts, idnos=batch_of(options.companies), kill_at=options.kill_at, rate=options.rate
        )
    show(result, console)
    for idno, (actual, expected) in result.wrong.items():
        console.print(f"{idno}: {actual} instead of {expected}")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
