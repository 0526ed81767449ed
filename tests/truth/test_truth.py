"""Pages that strangers wrote, with the facts that a careful person would take from them: no others are read."""

from typing import Any

import pytest

from tests.long_version import examples
from tests.truth.mutate import mutate_and_score, stored_cases
from tests.truth.scoring import score

_CASES = stored_cases()
_OPEN = {
    "e-048": "a collective is no party of a known kind, so it stays unread",
}
"""Pages on which a fact is absent, with the reason."""


@pytest.mark.parametrize("case", _CASES, ids=[case["id"] for case in _CASES])
def test_page_yields_exactly_the_facts_that_it_states(case: dict[str, Any]) -> None:
    result = score(case)
    assert result.wrong == []
    if case["id"] not in _OPEN:
        assert result.problems() == []


def test_mutated_page_yields_no_wrong_fact() -> None:
    tallies = mutate_and_score(range(examples(300, long=20_000)))
    assert [text for tally in tallies.values() for text in tally.wrong] == []
    assert sum(tally.documents for tally in tallies.values()) >= 300
    absent, stated = (
        sum(getattr(tally, kind) for tally in tallies.values()) for kind in ("absent", "stated")
    )
    assert absent <= stated * 0.05
