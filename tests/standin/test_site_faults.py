"""The companies that go wrong: as many as said, in every way, each to the outcome that is foretold."""

from collections.abc import Iterator

import httpx
import pytest

from standin import CASES, FAULTY_NUMBERS, Site, SiteFault, expected_outcome, fault_of, running_site
from standin.site_facts import make_idno, number_of
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
    """A company with a fault; `skip` so many for another one."""
    found = (idno for idno in map(make_idno, FAULTY_NUMBERS) if fault_of(idno) is fault)
    for _ in range(skip):
        next(found)
    return next(found)


def visit(site: Site, idno: str) -> list[int | None]:
    """The statuses of the document and of the company's data; None where there is no answer."""
    statuses: list[int | None] = [httpx.get(site.page_url(idno)).status_code]
    try:
        statuses.append(httpx.get(f"{site.api_url}/api/companies/{idno}", timeout=0.5).status_code)
    except (httpx.RemoteProtocolError, httpx.ReadTimeout):
        statuses.append(None)
    return statuses


def test_a_tenth_of_the_range_goes_wrong_in_every_way_and_nobody_else() -> None:
    faults = [fault_of(make_idno(number)) for number in FAULTY_NUMBERS]
    assert 900 < sum(fault is not None for fault in faults) < 1100
    assert min(faults.count(fault) for fault in SiteFault) > 40
    assert not any(fault_of(make_idno(number)) for number in (*range(2000), 49_999, 60_000))
    assert not any(fault_of(case.idno) for case in CASES.values())


def test_a_number_is_read_from_the_idno_that_was_made_of_it() -> None:
    assert [number_of(make_idno(number)) for number in (0, 25, 26, 59_999)] == [0, 25, 26, 59_999]
    assert number_of("1020999000019") is None
    assert number_of(make_idno(3)[:-1] + "x") is None


def test_outcomes_are_foretold() -> None:
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
def test_a_lasting_fault_is_met_at_every_visit(
    site: Site, fault: SiteFault, statuses: list[int | None]
) -> None:
    idno = first_with(fault)
    for _ in range(3):
        assert visit(site, idno) == statuses


@pytest.mark.parametrize(
    ("fault", "first"),
    [
        (SiteFault.RATE_LIMITED_ONCE, [429, 200]),
        (SiteFault.API_500_ONCE, [200, 500]),
        (SiteFault.DROPPED_ONCE, [200, None]),
    ],
)
def test_a_passing_fault_is_over_at_the_second_visit_even_if_the_log_is_forgotten(
    site: Site, fault: SiteFault, first: list[int | None]
) -> None:
    idno = first_with(fault)
    assert visit(site, idno) == first
    site.log.forget()
    assert visit(site, idno) == visit(site, idno) == [200, 200]


def test_half_a_page_has_a_heading_and_nothing_that_proves_whose_it_is(site: Site) -> None:
    idno = first_with(SiteFault.HALF_RENDERED)
    body = httpx.get(f"{site.api_url}/api/companies/{idno}").json()
    assert set(body) == {"fullName"}
    assert '"factsAfterMs": 0' not in httpx.get(site.page_url(idno)).text


def test_without_the_option_nobody_goes_wrong() -> None:
    with running_site() as plain:
        for fault in SiteFault:
            assert visit(plain, first_with(fault, skip=1)) == [200, 200]
