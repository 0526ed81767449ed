"""Faults for long tests: in a range of companies, about one in ten fails. All kinds of failure occur.

The companies fail only if the site is started with the option `faults`. A test can compute the outcome that a company
should have.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from standin.site_cases import CASES, CaseName, case_of
from standin.site_facts import number_of
from warehouse.contract import Outcome

FAULTY_NUMBERS = range(50_000, 60_000)
"""The numbers of the companies (see `make_idno`) that can have a fault."""
FAULTS_PER_MILLE = 100


class SiteFault(StrEnum):
    """The kinds of faults. A fault with ONCE in its name affects only the first visit to the company."""

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
    """The page shows its heading but never the facts, and no API answer contains the facts."""


@dataclass(frozen=True)
class _FaultKind:
    """The behavior of a fault: the same as of the special case `case`. If `case` is None, the page stays incomplete."""

    case: CaseName | None
    once: bool = False

    @property
    def outcome(self) -> Outcome:
        return CASES[self.case].outcome if self.case else Outcome.INCOMPLETE


_FAULT_KINDS = {
    SiteFault.DOCUMENT_503: _FaultKind(CaseName.DOCUMENT_503),
    SiteFault.RATE_LIMITED_ONCE: _FaultKind(CaseName.RATE_LIMITED, once=True),
    SiteFault.CHALLENGE: _FaultKind(CaseName.CHALLENGE),
    SiteFault.API_500: _FaultKind(CaseName.API_500),
    SiteFault.API_500_ONCE: _FaultKind(CaseName.API_500, once=True),
    SiteFault.NEVER_RENDERS: _FaultKind(CaseName.NEVER_RENDERS),
    SiteFault.DROPPED: _FaultKind(CaseName.API_DROPPED),
    SiteFault.DROPPED_ONCE: _FaultKind(CaseName.API_DROPPED, once=True),
    SiteFault.BROKEN_JSON: _FaultKind(CaseName.BROKEN_JSON),
    SiteFault.WRONG_COMPANY: _FaultKind(CaseName.WRONG_COMPANY),
    SiteFault.NOT_FOUND: _FaultKind(CaseName.NOT_FOUND),
    SiteFault.SOFT_404: _FaultKind(CaseName.SOFT_404_TEXT),
    SiteFault.ERROR_H1: _FaultKind(CaseName.ERROR_H1),
    SiteFault.HALF_RENDERED: _FaultKind(None),
}


def fault_of(idno: str) -> SiteFault | None:
    """Return the fault of a company; None if it has none. Only companies in FAULTY_NUMBERS can have one."""
    if number_of(idno) not in FAULTY_NUMBERS:
        return None
    rng = int(hashlib.sha256(f"fault:{idno}".encode()).hexdigest()[:12], 16)
    kind, is_faulty = rng // 1000, rng % 1000 < FAULTS_PER_MILLE
    return list(SiteFault)[kind % len(SiteFault)] if is_faulty else None


def fault_at(idno: str, visit: int) -> SiteFault | None:
    """Return the fault that affects a company's visit with this number (from 1); None if there is none."""
    fault = fault_of(idno)
    return None if fault and _FAULT_KINDS[fault].once and visit > 1 else fault


def case_at(idno: str, visit: int, *, faults: bool) -> CaseName | None:
    """Return the special case that a visit behaves like: that of the company's fault, else that of the IDNO."""
    fault = fault_at(idno, visit) if faults else None
    return _FAULT_KINDS[fault].case if fault else case_of(idno)


def is_half_rendered(idno: str, *, faults: bool) -> bool:
    """Tell whether a company's page never shows more than its heading."""
    return faults and fault_of(idno) is SiteFault.HALF_RENDERED


def expected_outcome(idno: str, attempts: int = 3) -> Outcome:
    """Return the outcome that a company should have after at most `attempts` visits to a site with faults."""
    case = case_of(idno)
    if case:
        return CASES[case].outcome
    fault = fault_at(idno, attempts)
    return _FAULT_KINDS[fault].outcome if fault else Outcome.OK
