"""A range of companies of which about one in ten goes wrong, in every way there is: for long runs.

The site behaves so only when it is started with `faults`; what each company comes to can be told without it.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from standin.site_cases import CASES, CaseName, case_of
from standin.site_facts import number_of
from warehouse.contract import Outcome

FAULTY_NUMBERS = range(50_000, 60_000)
"""Of these companies (`make_idno`)."""
FAULTS_PER_MILLE = 100


class SiteFault(StrEnum):
    """The ways of going wrong; those with ONCE are over from the second visit on."""

    DOCUMENT_503 = "document_503"
    RATE_LIMITED_ONCE = "rate_limited_once"
    CHALLENGE = "challenge"
    API_500 = "api_500"
    API_500_ONCE = "api_500_once"
    NEVER_RENDERS = "never_renders"
    DROPPED = "dropped"
    DROPPED_ONCE = "dropped_once"
    BROKEN_JSON = "broken_json"
    WRONG_COMPANY = "wrong_company"
    NOT_FOUND = "not_found"
    SOFT_404 = "soft_404"
    ERROR_H1 = "error_h1"
    HALF_RENDERED = "half_rendered"
    """The heading comes, the facts never do, and no answer holds them."""


@dataclass(frozen=True)
class _Kind:
    """How a fault shows: as a special case does, or (None) as a page that stays half done."""

    case: CaseName | None
    once: bool = False

    @property
    def outcome(self) -> Outcome:
        return CASES[self.case].outcome if self.case else Outcome.INCOMPLETE


_KINDS = {
    SiteFault.DOCUMENT_503: _Kind(CaseName.DOCUMENT_503),
    SiteFault.RATE_LIMITED_ONCE: _Kind(CaseName.RATE_LIMITED, once=True),
    SiteFault.CHALLENGE: _Kind(CaseName.CHALLENGE),
    SiteFault.API_500: _Kind(CaseName.API_500),
    SiteFault.API_500_ONCE: _Kind(CaseName.API_500, once=True),
    SiteFault.NEVER_RENDERS: _Kind(CaseName.NEVER_RENDERS),
    SiteFault.DROPPED: _Kind(CaseName.API_DROPPED),
    SiteFault.DROPPED_ONCE: _Kind(CaseName.API_DROPPED, once=True),
    SiteFault.BROKEN_JSON: _Kind(CaseName.BROKEN_JSON),
    SiteFault.WRONG_COMPANY: _Kind(CaseName.WRONG_COMPANY),
    SiteFault.NOT_FOUND: _Kind(CaseName.NOT_FOUND),
    SiteFault.SOFT_404: _Kind(CaseName.SOFT_404_TEXT),
    SiteFault.ERROR_H1: _Kind(CaseName.ERROR_H1),
    SiteFault.HALF_RENDERED: _Kind(None),
}


def fault_of(idno: str) -> SiteFault | None:
    """The fault of a company; None where it has none, as all have outside FAULTY_NUMBERS."""
    if number_of(idno) not in FAULTY_NUMBERS:
        return None
    roll = int(hashlib.sha256(f"fault:{idno}".encode()).hexdigest()[:12], 16)
    kind, is_faulty = roll // 1000, roll % 1000 < FAULTS_PER_MILLE
    return list(SiteFault)[kind % len(SiteFault)] if is_faulty else None


def fault_at(idno: str, visit: int) -> SiteFault | None:
    """The fault that a visit meets; the first is 1."""
    fault = fault_of(idno)
    return None if fault and _KINDS[fault].once and visit > 1 else fault


def case_at(idno: str, visit: int, *, faults: bool) -> CaseName | None:
    """The special case that a company behaves as at a visit, by its own IDNO or by its fault."""
    fault = fault_at(idno, visit) if faults else None
    return _KINDS[fault].case if fault else case_of(idno)


def is_half_rendered(idno: str, *, faults: bool) -> bool:
    """Whether a company's page never gets past its heading."""
    return faults and fault_of(idno) is SiteFault.HALF_RENDERED


def expected_outcome(idno: str, attempts: int = 3) -> Outcome:
    """What a company comes to in as many visits, at a site with faults that is otherwise left alone."""
    case = case_of(idno)
    if case:
        return CASES[case].outcome
    fault = fault_at(idno, attempts)
    return _KINDS[fault].outcome if fault else Outcome.OK
