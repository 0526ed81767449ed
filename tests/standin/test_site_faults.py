"""Tests of the companies with faults: their number, their kinds, and their expected outcomes."""

from collections.abc import Iterator

import httpx
import pytest

from standin import CASES, FAULTY_NUMBERS, Site, SiteFault, expected_outcome, fault_of, running_site
from standin.site_facts import make_idno, number_of
from tests.standin.site_client import get
from warehouse.contract import Outcome

ONCE = {
    SiteFault.RATE_LIMITED_ONCE: Outcome.BLOCKED,
    SiteFault.API_500_ONCE: Outcome.SERVER_ERROR,
    SiteFault.DROPPED_ONCE: Outcome.NETWORK_ERROR,
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site(faults=True) as running:
        yield running


def first_with(fault: SiteFault, *, skip: int = 0) -> str:
    """Return the IDNO of a company with a fault, after skipping `skip` others with it."""
    idnos = (idno for idno in map(make_idno, FAULTY_NUMBERS) if fault_of(idno) is fault)
    for _ in range(skip):
        next(idnos)
    return next(idnos)


def visit(site: Site, idno: str, *, api_timeout: float = 60) -> list[int | None]:
    """Return the statuses of the document and of the company's API response; None if there is no response."""
    statuses: list[int | None] = [get(site.page_url(idno)).status_code]
    try:
        statuses.append(get(f"{site.api_url}/api/companies/{idno}", timeout=api_timeout).status_code)
    except (httpx.RemoteProtocolError, httpx.ReadTimeout):
        statuses.append(None)
    return statuses


def test_a_tenth_of_the_range_and_no_other_company_has_a_fault() -> None:
    faults = [fault_of(make_idno(number)) for number in FAULTY_NUMBERS]
    assert 900 < sum(fault is not None for fault in faults) < 1100
    assert min(faults.count(fault) for fault in SiteFault) > 40
    assert not any(fault_of(make_idno(number)) for number in (*range(2000), 49_999, 60_000))
    assert not any(fault_of(case.idno) for case in CASES.values())


def test_the_number_of_a_listed_company_is_read_from_its_idno() -> None:
    assert [number_of(make_idno(number)) for number in (0, 25, 26, 59_999)] == [0, 25, 26, 59_999]
    assert number_of("1020999000019") is None
    assert number_of(make_idno(3)[:-1] + "x") is None


def test_expected_outcomes_cover_faults_and_special_cases() -> None:
    for fault, outcome in ONCE.items():
        idno = first_with(fault)
        assert (expected_outcome(idno, attempts=1), expected_outcome(idno)) == (outcome, Outcome.OK)
    lasting = {expected_outcome(first_with(fault)) for fault in set(SiteFault) - set(ONCE)}
    assert lasting == set(Outcome) - {Outcome.OK, Outcome.BROWSER_ERROR}
    assert expected_outcome(make_idno(5)) is Outcome.OK
    assert all(expected_outcome(case.idno) is case.outcome for case in CASES.values())


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        (SiteFault.DOCUMENT_503, [503, 200]),
        (SiteFault.CHALLENGE, [403, 200]),
        (SiteFault.API_500, [200, 500]),
        (SiteFault.ERROR_H1, [200, 500]),
        (SiteFault.NEVER_RENDERS, [200, None]),
        (SiteFault.DROPPED, [200, None]),
        (SiteFault.NOT_FOUND, [200, 404]),
    ],
)
def test_a_lasting_fault_affects_every_visit(
    site: Site, fault: SiteFault, statuses: list[int | None]
) -> None:
    idno = first_with(fault)
    api_timeout = 0.2 if fault is SiteFault.NEVER_RENDERS else 60
    for _ in range(3):
        assert visit(site, idno, api_timeout=api_timeout) == statuses


@pytest.mark.parametrize(
    ("fault", "first"),
    [
        (SiteFault.RATE_LIMITED_ONCE, [429, 200]),
        (SiteFault.API_500_ONCE, [200, 500]),
        (SiteFault.DROPPED_ONCE, [200, None]),
    ],
)
def test_a_fault_with_once_affects_only_the_first_visit_even_after_clearing_the_log(
    site: Site, fault: SiteFault, first: list[int | None]
) -> None:
    idno = first_with(fault)
    assert visit(site, idno) == first
    site.log.clear()
    assert visit(site, idno) == visit(site, idno) == [200, 200]


def test_a_half_rendered_page_has_a_heading_but_no_idno(site: Site) -> None:
    idno = first_with(SiteFault.HALF_RENDERED)
    body = get(f"{site.api_url}/api/companies/{idno}").json()
    assert set(body) == {"fullName"}
    assert '"factsAfterMs": 0' not in get(site.page_url(idno)).text


def test_without_the_option_no_company_fails() -> None:
    with running_site() as plain:
        for fault in SiteFault:
            assert visit(plain, first_with(fault, skip=1)) == [200, 200]
