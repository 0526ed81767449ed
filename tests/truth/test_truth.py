"""Pages that strangers wrote, with the facts that a careful person would take from them: no others are read."""

from pathlib import Path

import pytest

from tests.long_version import examples
from tests.truth.mutate import PAGES, cases_in, mutate_and_score
from tests.truth.scoring import score

_OPEN = {"e-048"}
"""Pages on which a fact is absent: a collective is no party of a known kind, so it stays unread."""


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_pages_yield_exactly_the_facts_that_they_state(path: Path) -> None:
    results = [score(case) for case in cases_in(path)]
    assert {result.case: result.wrong for result in results if result.wrong} == {}
    problems = {result.case: result.problems() for result in results if not result.is_right}
    assert {case: lines for case, lines in problems.items() if case not in _OPEN} == {}


def test_mutated_page_yields_no_wrong_fact() -> None:
    tallies = mutate_and_score(range(examples(120, long=20_000)))
    assert [text for tally in tallies.values() for text in tally.wrong] == []
    assert sum(tally.documents for tally in tallies.values()) >= 120
    absent, stated = (
        sum(getattr(tally, kind) for tally in tallies.values()) for kind in ("absent", "stated")
    )
    assert absent <= stated * 0.05
