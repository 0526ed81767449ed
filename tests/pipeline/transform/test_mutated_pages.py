"""Rendered pages that somebody has changed: the same facts are read, or none, never others."""

import random

import pytest

from pipeline.transform.agreement import agree, is_empty
from pipeline.transform.html.page_reader import read_html
from tests.pipeline.transform.mutations import MUTATIONS, Mutation, labels_renamed
from tests.pipeline.transform.rendered import Rendered
from warehouse.records.models import CompanyFacts

_EVERY = 19
"""One page in so many is changed: a number that shares no factor with the layouts, languages and variants."""
_FIELDS = tuple(field for field in CompanyFacts.model_fields if field != "idno")
_MOST_KEPT = 0.9


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_changed_page_tells_the_same_facts_or_none(
    mutation: Mutation, rendered_pages: list[Rendered]
) -> None:
    wrong: list[str] = []
    told = kept = 0
    for number, page in enumerate(rendered_pages[::_EVERY]):
        other = rendered_pages[(number * 31 + 5) % len(rendered_pages)].html
        before = read_html(page.html, page.idno)
        after = read_html(mutation(page.html, other, random.Random(number)), page.idno)
        assert after.idno in (page.idno, None)
        for field in _FIELDS:
            was, is_now = getattr(before, field), getattr(after, field)
            told += not is_empty(was)
            kept += not is_empty(is_now)
            if not is_empty(is_now) and (is_empty(was) or not agree(field, was, is_now)):
                wrong.append(f"{page.path}: {field}: {is_now!r}, but {was!r}")

    assert wrong == []
    assert mutation is labels_renamed or kept >= _MOST_KEPT * told
