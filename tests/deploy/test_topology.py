"""The services of docker-compose.yml start, work and stop as plain processes, without Docker."""

import pytest

from standin.server import Site
from tests.deploy.scenario import play
from tests.deploy.topology import run_topology


@pytest.mark.timeout(300)
def test_services_of_the_compose_file_serve_a_client_and_stop_in_time(site: Site) -> None:
    with run_topology(
        REGISTRU_SITE_URL=site.url,
        REGISTRU_SITE_RATE="0",
        REGISTRU_BCRYPT_COST="10",
        REGISTRU_WARM_BROWSERS="1",
    ) as topology:
        play(topology, lambda _: None)
    assert topology.killed == [], "these services did not stop within their grace period"
