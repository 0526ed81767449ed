"""Requests without a browser: under the same throttle, with errors that name the cause."""

from pathlib import Path

import pytest
from redis import Redis

from pipeline.extract.direct_client import DisallowedByRobots, FetchFailed, SitePaused, direct_client
from pipeline.extract.site_throttle import RequestResult, SiteThrottle
from standin import running_site
from standin.server import Site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import settings_for
from tests.pipeline.extract.throttling import NO_SERVER, send_request
from warehouse.contract import RunKind


def api_url(site: Site, path: str) -> str:
    return f"{site.api_url}{path}"


def test_direct_request_obeys_robots_txt(tmp_path: Path, redis: Redis) -> None:
    with running_site(robots="User-agent: *\nDisallow: /api/companies/\n") as site:
        settings = settings_for(tmp_path, site.url)
        with direct_client(settings, SiteThrottle(redis, settings, kind=RunKind.BULK)) as http:
            assert http.get(api_url(site, "/api/companies?page=0&size=1")).status_code == 200
            with pytest.raises(DisallowedByRobots, match=r"robots\.txt"):
                http.get(api_url(site, f"/api/companies/{make_idno(1)}"))


def test_direct_request_without_an_answer_fails_with_the_cause(tmp_path: Path, redis: Redis) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:9", retry_seconds=0)
    with (
        direct_client(settings, SiteThrottle(redis, settings, kind=RunKind.BULK)) as http,
        pytest.raises(FetchFailed, match="ConnectError"),
    ):
        http.get("http://127.0.0.1:9/api/companies?page=0&size=1")


def test_direct_request_to_a_paused_site_fails_with_the_end_of_the_pause(
    tmp_path: Path, redis: Redis
) -> None:
    settings = settings_for(tmp_path, "http://127.0.0.1:9", breaker_challenges=1, longest_wait_seconds=0)
    throttle = SiteThrottle(redis, settings, kind=RunKind.BULK)
    send_request(throttle, "1", RequestResult.BLOCKED)
    with direct_client(settings, throttle) as http, pytest.raises(SitePaused, match="paused until"):
        http.get(NO_SERVER)
