"""The requested companies, and their states as reported to the clients."""

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from standin import FAULTY_NUMBERS, SiteFault, expected_outcome, expected_record, fault_of
from standin.site_facts import make_idno
from tests.record_truth import assert_record_is_true
from warehouse.contract import Outcome

_EVERY_NOT_FOUND = 8
"""One in this many requested companies does not exist at the site."""
_STATES = {Outcome.OK: "succeeded", Outcome.NOT_FOUND: "not_found"}


def companies(seed: int) -> Iterator[str]:
    """Yield the IDNOs of companies of the stand-in site, each one once. The seed determines their order."""
    rng = random.Random(seed)  # noqa: S311 - a reproducible choice, not a secret
    idnos = [make_idno(number) for number in FAULTY_NUMBERS]
    rng.shuffle(idnos)
    there = iter([idno for idno in idnos if fault_of(idno) is None])
    missing = iter([idno for idno in idnos if fault_of(idno) in (SiteFault.NOT_FOUND, SiteFault.SOFT_404)])
    for number, idno in enumerate(there, start=1):
        yield idno
        if number % (_EVERY_NOT_FOUND - 1) == 0 and (other := next(missing, None)):
            yield other


@dataclass
class LedgerCompany:
    """A requested company."""

    idno: str
    was_accepted: bool = False
    state: str | None = None
    """The final state that the platform reported; None until then."""

    @property
    def expected_state(self) -> str:
        """The correct final state: the site decides whether the company exists."""
        return _STATES[expected_outcome(self.idno)]

    @property
    def exists(self) -> bool:
        """Whether the company exists at the site."""
        return self.expected_state == "succeeded"

    @property
    def problem(self) -> str | None:
        """What is wrong with the final state; None if it is correct."""
        if self.state is None:
            return f"{self.idno} did not end ({'accepted' if self.was_accepted else 'never accepted'})"
        if self.state != self.expected_state:
            return f"{self.idno} ended as {self.state}, not as {self.expected_state}"
        return None


@dataclass
class Ledger:
    """All requested companies and batches. Any thread may use it."""

    seed: int
    companies: list[LedgerCompany] = field(default_factory=list)
    batches: dict[str, list[LedgerCompany]] = field(default_factory=dict)
    """The requested batches: status URL → companies of the batch."""
    problems: list[str] = field(default_factory=list)
    """Problems that clients detected."""

    def __post_init__(self) -> None:
        self._lock, self._next = threading.Lock(), companies(self.seed)

    def take(self, count: int = 1) -> list[LedgerCompany]:
        """Return `count` companies that were not requested before."""
        with self._lock:
            taken = [LedgerCompany(next(self._next)) for _ in range(count)]
            self.companies += taken
            return taken


def wrong_record(company: LedgerCompany, record: object) -> str | None:
    """Return what is wrong with the record that a client received; None if it is correct."""
    if not isinstance(record, dict):
        return f"{company.idno} succeeded without its record"
    try:
        assert_record_is_true(record, expected_record(company.idno))
    except (AssertionError, KeyError) as wrong:
        return f"{company.idno} has a wrong record: {str(wrong)[:200]}"
    return None
