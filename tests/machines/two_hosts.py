"""Has two hosts share a batch, kills one in the middle, and prints what became of it: `make two-hosts`."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.machines.shared_batch import share, show, two_hosts


def main() -> int:
    """Return 0 if every company ended as the site's facts say."""
    parser = argparse.ArgumentParser(prog="python -m tests.machines.two_hosts", description=__doc__)
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--companies-a-run", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2, help="visits a second at the site, over both hosts")
    parser.add_argument("--kill-at", type=float, default=0.4, help="share of the batch that is done by then")
    options = parser.parse_args()
    console = Console(width=100)
    with (
        tempfile.TemporaryDirectory(prefix="registru-two-hosts-") as folder,
        two_hosts(Path(folder), rate=options.rate, companies_a_run=options.companies_a_run) as (
            platform,
            hosts,
        ),
    ):
        kind = "network namespaces" if hosts[0].number is not None else "homes and processes of their own"
        console.print(f"two hosts ({kind}), one platform at {platform.url}")
        shared = share(
            platform, hosts, companies=options.companies, kill_at=options.kill_at, rate=options.rate
        )
    show(shared, console)
    for idno, (found, expected) in shared.wrong.items():
        console.print(f"{idno}: {found} instead of {expected}")
    return 1 if shared.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
