"""What was asked for, and what became of it as clients were told."""

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from standin import FAULTY_NUMBERS, SiteFault, expected_outcome, expected_record, fault_of
from standin.site_facts import make_idno
from tests.record_truth import assert_record_is_true
from warehouse.contract import Outcome

_EVERY_NOT_FOUND = 8
"""One company in so many does not exist."""
_STATES = {Outcome.OK: "succeeded", Outcome.NOT_FOUND: "not_found"}


def companies(seed: int) -> Iterator[str]:
    """Yield companies of the stand-in site, each once, always the same ones for a seed."""
    dice = random.Random(seed)  # noqa: S311 - a choice that can be repeated
    idnos = [make_idno(number) for number in FAULTY_NUMBERS]
    dice.shuffle(idnos)
    there = iter([idno for idno in idnos if fault_of(idno) is None])
    missing = iter([idno for idno in idnos if fault_of(idno) in (SiteFault.NOT_FOUND, SiteFault.SOFT_404)])
    for number, idno in enumerate(there, start=1):
        yield idno
        if number % (_EVERY_NOT_FOUND - 1) == 0 and (other := next(missing, None)):
            yield other


@dataclass
class LedgerCompany:
    """A company that was asked for."""

    idno: str
    was_accepted: bool = False
    state: str | None = None
    """The last that was told; None until it has ended."""

    @property
    def right_state(self) -> str:
        """The state that it has to end in, by the site's own facts."""
        return _STATES[expected_outcome(self.idno)]

    @property
    def is_there(self) -> bool:
        """Whether there is such a company at the site."""
        return self.right_state == "succeeded"

    @property
    def problem(self) -> str | None:
        """What is wrong with how it ended, if anything is."""
        if self.state is None:
            return f"{self.idno} did not end ({'accepted' if self.was_accepted else 'never accepted'})"
        if self.state != self.right_state:
            return f"{self.idno} ended as {self.state}, not as {self.right_state}"
        return None


@dataclass
class Ledger:
    """All that was asked for; used from the threads of all clients."""

    seed: int
    companies: list[LedgerCompany] = field(default_factory=list)
    batches: dict[str, list[LedgerCompany]] = field(default_factory=dict)
    """By the address of their status."""
    problems: list[str] = field(default_factory=list)
    """What clients found to be wrong themselves."""

    def __post_init__(self) -> None:
        self._lock, self._next = threading.Lock(), companies(self.seed)

    def take(self, count: int = 1) -> list[LedgerCompany]:
        """Return companies that nobody has asked for yet."""
        with self._lock:
            taken = [LedgerCompany(next(self._next)) for _ in range(count)]
            self.companies += taken
            return taken


def wrong_record(company: LedgerCompany, record: object) -> str | None:
    """Say what is wrong with the record that a company was answered with, if anything is."""
    if not isinstance(record, dict):
        return f"{company.idno} was answered without its record"
    try:
        assert_record_is_true(record, expected_record(company.idno))
    except (AssertionError, KeyError) as wrong:
        return f"{company.idno} has a wrong record: {str(wrong)[:200]}"
    return None
