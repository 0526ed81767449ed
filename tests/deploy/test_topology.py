"""docker-compose.yml comes up, does its work for a client, and stops, as plain processes without Docker."""

import pytest

from standin.server import Site
from tests.deploy.scenario import play
from tests.deploy.topology import running


@pytest.mark.timeout(300)
def test_the_containers_processes_scrape_a_company_for_a_client(site: Site) -> None:
    with running(
        REGISTRU_SITE_URL=site.url,
        REGISTRU_SITE_RATE="0",
        REGISTRU_BCRYPT_COST="10",
        REGISTRU_WARM_BROWSERS="1",
    ) as topology:
        play(topology, lambda _: None)
    assert topology.late == [], "these did not end in the time that Docker gives them"
