"""`python -m tests.deploy`: brings docker-compose.yml up without Docker, uses it, and stops it."""

import sys
import time

from standin import running_site
from tests.deploy.scenario import play
from tests.deploy.topology import Broken, running


def main() -> int:
    """Run the check; return its exit status."""
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {text}", flush=True)

    try:
        with running_site() as site, running(REGISTRU_SITE_URL=site.url, REGISTRU_SITE_RATE="0") as topology:
            say(f"{len(topology.containers)} services are as docker-compose.yml wants them; {topology.url}")
            play(topology, say)
    except Broken as error:
        print(error, file=sys.stderr)
        return 1
    say(f"stopped; {', '.join(topology.late) or 'nobody'} had to be killed")
    return 1 if topology.late else 0


if __name__ == "__main__":
    sys.exit(main())
