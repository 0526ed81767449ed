"""`python -m tests.deploy`: starts the services of docker-compose.yml without Docker, uses them and stops them."""

import sys
import time

from standin import running_site
from tests.deploy.scenario import play
from tests.deploy.topology import TopologyError, run_topology


def main() -> int:
    """Run the check and return its exit status."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)

    try:
        with (
            running_site() as site,
            run_topology(REGISTRU_SITE_URL=site.url, REGISTRU_SITE_RATE="0") as topology,
        ):
            say(f"{len(topology.containers)} services are healthy; {topology.url}")
            play(topology, say)
    except TopologyError as error:
        print(error, file=sys.stderr)
        return 1
    say(f"stopped; {', '.join(topology.killed) or 'no service'} had to be killed")
    return 1 if topology.killed else 0


if __name__ == "__main__":
    sys.exit(main())
