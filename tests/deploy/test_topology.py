"""The services of docker-compose.yml start, work and stop as plain processes, without Docker."""

import pytest

from standin.server import Site
from tests.deploy.scenario import play
from tests.deploy.topology import run_topology
from tests.long_version import LONG

RESTARTED = None if LONG else ("migrate", "api", "gateway")
"""The services that the scenario starts again after a restore. All of them, Dagster's too, in the long version."""


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("starts_platform")
def test_services_of_the_compose_file_serve_a_client_and_stop_in_time(site: Site) -> None:
    with run_topology(
        REGISTRU_SITE_URL=site.url,
        REGISTRU_SITE_RATE="0",
        REGISTRU_BCRYPT_COST="10",
        REGISTRU_WARM_BROWSERS="1",
    ) as topology:
        play(topology, lambda _: None, restarted=RESTARTED)
    assert topology.killed == [], "these services did not stop within their grace period"
