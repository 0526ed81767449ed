"""Mutated pages: the reader finds the same facts or none, never different ones."""

import random

import pytest

from pipeline.transform.agreement import agree, is_empty
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.reading import STATEMENTS, Reading
from tests.pipeline.transform.mutations import MUTATIONS, Mutation, rename_labels
from tests.pipeline.transform.rendered import RenderedPage
from warehouse.records.record_diff import FIELDS

_SAMPLE_STEP = 7
"""Every 7th page is mutated; 7 shares no factor with the numbers of layouts, languages and variants."""
_FIELDS = (*FIELDS, STATEMENTS)
_MIN_KEPT_RATIO = 0.9


@pytest.fixture(scope="module")
def readings(rendered_pages: list[RenderedPage]) -> list[tuple[RenderedPage, Reading]]:
    """The sampled pages, each with its reading before any mutation."""
    return [(page, read_html(page.html, page.idno)) for page in rendered_pages[::_SAMPLE_STEP]]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_mutated_page_yields_the_same_facts_or_none(
    mutation: Mutation,
    rendered_pages: list[RenderedPage],
    readings: list[tuple[RenderedPage, Reading]],
) -> None:
    wrong: list[str] = []
    facts_before = facts_after = 0
    for number, (page, before) in enumerate(readings):
        other = rendered_pages[(number * 31 + 5) % len(rendered_pages)].html
        after = read_html(mutation(page.html, other, random.Random(number)), page.idno)
        assert after.idno in (page.idno, None)
        for field in _FIELDS:
            expected, found = getattr(before, field), getattr(after, field)
            facts_before += not is_empty(expected)
            facts_after += not is_empty(found)
            if not is_empty(found) and (is_empty(expected) or not agree(field, expected, found)):
                wrong.append(f"{page.path}: {field}: {found!r}, but {expected!r}")

    assert wrong == []
    assert mutation is rename_labels or facts_after >= _MIN_KEPT_RATIO * facts_before
