"""Tests of the stand-in site: its cases, its API, its log. They need no browser."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from stdnum.md import idno as stdnum_idno

from standin import CASES, CaseName, Layout, Site, SiteCase, company, expected_record, fin_data, running_site
from standin.made_up_companies import ABSENT
from standin.request_log import LoggedRequest, RequestLog, SiteOrigin
from standin.site_facts import make_idno
from tests.standin.site_client import get

FOUND = CASES[CaseName.FOUND].idno
ABSENT_COMPANY = CASES[CaseName.NOT_FOUND].idno


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as running:
        yield running


def api_company(site: Site, idno: str) -> httpx.Response:
    return get(f"{site.api_url}/api/companies/{idno}")


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_every_case_has_its_own_valid_idno(case: SiteCase) -> None:
    assert stdnum_idno.is_valid(case.idno)
    assert [other.name for other in CASES.values() if other.idno == case.idno] == [case.name]


def test_every_case_name_has_a_case() -> None:
    assert set(CASES) == set(CaseName)


def test_the_api_returns_the_same_company_each_time(site: Site) -> None:
    idno = make_idno(4711)
    answer = api_company(site, idno)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == company(idno) == company(idno)


def test_the_api_body_and_the_expected_record_agree() -> None:
    for number in range(200):
        body, truth = company(make_idno(number)), expected_record(make_idno(number))
        founders = body["personFounders"] + body["companyFounders"]
        assert body["fullName"] == truth["name"]
        assert [founder["shares"] for founder in founders] == [each["share"] for each in truth["founders"]]
        assert round(sum(founder["shares"] for founder in founders), 2) in (100, 99.99, 100.01)
        assert (body["registeredAt"] in ABSENT) == (truth["registered_on"] is None)


def test_the_sparse_company_has_only_a_name_and_an_idno() -> None:
    truth = expected_record(CASES[CaseName.SPARSE].idno)
    assert {key for key, value in truth.items() if value} == {"idno", "name"}


def test_statements_are_newest_first_and_contain_each_amount_twice() -> None:
    statements = fin_data(FOUND)
    years = [statement["year"] for statement in statements]
    assert years == sorted(years, reverse=True)
    assert statements[0]["CODE_6_010"] == statements[0]["CODE_6_010_Venituri_din_vinzari_total"]


def test_unknown_and_invalid_idnos_are_404_in_the_api_and_200_as_documents(site: Site) -> None:
    for idno in (ABSENT_COMPANY, "1020999000010", "abc"):
        assert api_company(site, idno).status_code == 404
        document = get(site.page_url(idno))
        assert document.status_code == 200
        assert "<app-root></app-root>" in document.text


def test_the_list_numbers_pages_from_zero(site: Site) -> None:
    body = get(f"{site.api_url}/api/companies?page=1&size=2").json()
    assert [row["idno"] for row in body["data"]] == [make_idno(2), make_idno(3)]
    assert body["totalItemCount"] > 2


def test_a_challenge_has_the_mitigation_header(site: Site) -> None:
    answer = get(site.page_url(CASES[CaseName.CHALLENGE].idno))
    assert (answer.status_code, answer.headers["cf-mitigated"]) == (403, "challenge")


def test_a_dropped_connection_has_no_response(site: Site) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        api_company(site, CASES[CaseName.API_DROPPED].idno)
    assert site.requests[-1].status is None


def test_the_flaky_company_fails_as_often_as_configured() -> None:
    with running_site(flaky_failures=2) as site:
        url = site.page_url(CASES[CaseName.FLAKY].idno)
        assert [get(url).status_code for _ in range(3)] == [500, 500, 200]


def test_the_log_distinguishes_documents_from_other_requests() -> None:
    with running_site(layout=Layout.TABLE) as site:
        get(site.page_url(FOUND))
        get(f"{site.url}/ro/companies/{FOUND}")
        api_company(site, FOUND)
        assert site.visits(FOUND) == 2
        assert [entry.origin for entry in site.requests] == ["page", "page", "api"]
        logged = get(f"{site.url}/__requests").json()
        assert [row["path"] for row in logged] == [entry.path for entry in site.requests]


def test_the_log_of_documents_can_be_cleared() -> None:
    with running_site(layout=Layout.TABLE) as site:
        for _ in range(3):
            get(site.page_url(FOUND))
        get(site.page_url(ABSENT_COMPANY))
        get(f"{site.url}/pages/0")
        assert [document.idno for document in site.documents()] == [FOUND] * 3 + [ABSENT_COMPANY]
        assert site.max_documents_in(600) == 4
        site.log.clear()
        assert (site.documents(), site.max_documents_in(600), site.visits(FOUND)) == ([], 0, 0)


def test_the_log_counts_the_documents_in_any_period() -> None:
    log, begun = RequestLog(), datetime.now(UTC)
    for seconds in (0, 1, 1.5, 10):
        arrived = begun + timedelta(seconds=seconds)
        path = f"/companies/{FOUND}"
        log.record_request(LoggedRequest(arrived, SiteOrigin.PAGE, "GET", path, is_document=True))
    assert [log.max_documents_in(window) for window in (0.1, 0.6, 1.6, 8.7, 60)] == [1, 2, 3, 3, 4]


def test_robots_txt_of_both_origins_can_change_while_the_site_runs() -> None:
    with running_site() as site:
        for text, status in (("User-agent: *\nCrawl-delay: 2\n", 200), ("", 404), ("", 500)):
            site.robots, site.robots_status = text, status
            for origin in (site.url, site.api_url):
                answer = get(f"{origin}/robots.txt")
                assert (answer.status_code, answer.text) == (status, text)


def test_the_whole_site_can_challenge_or_rate_limit_temporarily(site: Site) -> None:
    url = site.page_url(make_idno(1))
    site.challenging = True
    challenge = get(url)
    site.challenging, site.rate_limit_seconds = False, 7
    too_many = get(url)
    site.rate_limit_seconds = None
    assert (challenge.status_code, challenge.headers["cf-mitigated"]) == (403, "challenge")
    assert (too_many.status_code, too_many.headers["retry-after"]) == (429, "7")
    assert get(url).status_code == 200


@pytest.mark.parametrize(("name", "status"), [(CaseName.DOCUMENT_503, 503), (CaseName.RATE_LIMITED, 429)])
def test_a_503_or_429_has_a_retry_after_header(name: CaseName, status: int) -> None:
    with running_site(retry_after_seconds=3) as site:
        answer = get(site.page_url(CASES[name].idno))
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "3")


def test_api_responses_are_delayed_by_the_configured_latency() -> None:
    with running_site(latency_ms=100) as site:
        assert api_company(site, FOUND).elapsed.total_seconds() > 0.1


def test_an_embedded_page_contains_its_data_without_ending_the_script_early() -> None:
    idno = CASES[CaseName.HOSTILE_TEXT].idno
    with running_site(embedded=True) as site:
        document = get(site.page_url(idno)).text
    settings = json.loads(document.split("window.site = ")[1].split("; document.currentScript")[0])
    assert settings["apiUrl"] is None
    assert json.loads(settings["answers"][f"/api/companies/{idno}"]["text"]) == company(idno)
    assert document.count("</script>") == 2


@pytest.mark.usefixtures("starts_stores")
def test_the_command_line_prints_its_addresses_and_stops_on_sigterm() -> None:
    command = [sys.executable, "-m", "standin", "--port", "0", "--api-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        _, url, _, api_url = process.stdout.readline().split()
        assert get(f"{url}/robots.txt").status_code == 200
        assert get(f"{api_url}/api/companies/{FOUND}").status_code == 200
        # A client that waits for an unanswered request must not delay the shutdown.
        with pytest.raises(httpx.ReadTimeout):
            get(f"{api_url}/api/companies/{CASES[CaseName.NEVER_RENDERS].idno}", timeout=0.2)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=60) == 0
