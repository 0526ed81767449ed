"""The name that a page shows for its company."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.transform.agreement import same_name
from pipeline.transform.html.heading_name import HeadingParts, divide_heading, title_starts
from pipeline.transform.html.idno_texts import idno_in
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import IDNO_TEXT, PageTree
from pipeline.transform.reading import Unread
from pipeline.transform.source_text import collapse, comparison_key, fold, text_or_none
from pipeline.transform.vocabulary.field import LIST_FIELDS, Field
from pipeline.transform.vocabulary.messages import (
    Message,
    is_generic_title,
    is_sentence,
    message_of,
    without_generic_start,
)
from pipeline.transform.vocabulary.names import core_of_name, has_legal_form, is_name_shaped

_MAX_LENGTH = 300
_MAX_HEADING = 600
_REFUTED_BY_FACTS = frozenset({Message.NOT_FOUND, Message.ERROR, Message.CHALLENGE})
"""Messages that a page cannot show together with facts of the company. If it does, the text is the company's name."""
_ENOUGH_FACTS = 3
_MAX_KIND_WORDS = 5
_NAME = "name"


@dataclass(frozen=True)
class ShownName:
    """The name that a page shows, with the parts of its heading that are no part of the name.

    `unread`: the text of the heading if it is not understood.
    """

    name: str | None
    parts: HeadingParts = field(default_factory=lambda: HeadingParts(None))
    unread: tuple[Unread, ...] = ()


def read_name(
    page: PageTree, hits: Sequence[LabelledValue], idno: str, *, known_name: str | None, fact_count: int
) -> ShownName:
    """Read the company's name from the heading or from a label.

        <h1>PLOPENA AGRO</h1>
        <h1>Fișa companiei</h1><p>Denumirea: PLOPENA AGRO</p>

    → "PLOPENA AGRO" for both. A heading with a message of the site is no name.

    Args:
        page: The page; it must have a heading.
        hits: The labels of the page.
        idno: The company.
        known_name: The name that the JSON states for the company, if there is one.
        fact_count: How many facts of the company the page shows besides its IDNO.
    """
    assert page.heading is not None
    if known_name and collapse(known_name) == page.heading.text:
        return ShownName(page.heading.text)
    if len(page.heading.text) > _MAX_HEADING:
        return ShownName(
            None, unread=(Unread(_NAME, page.heading.text[:_MAX_LENGTH], "no name is that long"),)
        )
    parts = divide_heading(page.heading, page.title, known_name)
    text = parts.name
    if text and known_name and core_of_name(text) == core_of_name(known_name):
        return ShownName(text, parts)
    labelled = _labelled_names(hits, idno)
    if text is None or _is_no_name(text):
        return _other_name(page, parts, labelled, known_name)
    if message := message_of(text):
        is_name = message in _REFUTED_BY_FACTS and text.isupper() and fact_count >= _ENOUGH_FACTS
        return ShownName(text, parts) if is_name else ShownName(None, parts)
    text = _without_kind_of_page(text, page.title)
    if different := [
        name for name in labelled if not (same_name(text, name) or _differ_in_script(text, name))
    ]:
        reason = f"the heading and the label of the name differ: {different[0]!r}"
        return ShownName(None, parts, (Unread(_NAME, text, reason),))
    if labelled or known_name or has_legal_form(text):
        return ShownName(text, parts)
    if is_sentence(text) and not (text.isupper() and fact_count):
        return ShownName(None, parts, (Unread(_NAME, text, "this is a sentence"),))
    if not fact_count and not is_name_shaped(text):
        return ShownName(
            None, parts, (Unread(_NAME, text, "nothing on the page says that this is a company"),)
        )
    if text[-1] in "!?…" and not is_name_shaped(text):
        return ShownName(None, parts, (Unread(_NAME, text, "this looks like a message"),))
    return ShownName(text, parts)


def _is_no_name(text: str) -> bool:
    """Tell whether the text of a heading is the title of a kind of page or a number."""
    return is_generic_title(text) or not comparison_key(text) or IDNO_TEXT.fullmatch(text) is not None


def _other_name(
    page: PageTree, parts: HeadingParts, labelled: Sequence[str], known_name: str | None
) -> ShownName:
    """Return the name of a company whose page has a heading without name: from a label, or another element."""
    if labelled:
        first, *others = labelled
        if all(same_name(first, other) for other in others):
            return ShownName(first, parts)
        return ShownName(None, parts, (Unread(_NAME, "; ".join(labelled), "the labelled names differ"),))
    texts = [leaf.text for leaf in page.root.leaves() if len(leaf.text) <= _MAX_LENGTH]
    for witness in filter(None, (known_name, *title_starts(page.title)[:1])):
        if is_generic_title(witness) or message_of(witness) is not None or not is_name_shaped(witness):
            continue
        core = core_of_name(witness)
        if name := next((text for text in texts if core_of_name(text) == core), None):
            return ShownName(name, parts)
    return ShownName(None, parts)


def _labelled_names(hits: Sequence[LabelledValue], idno: str) -> list[str]:
    """Return the values of the labels of a name that stand before the lists of the page, or next to the IDNO."""
    own_lists = [hit.label.start for hit in hits if hit.field in LIST_FIELDS or hit.field is Field.ELSEWHERE]
    end = min(own_lists, default=None)
    own_rows = [hit.label.parent for hit in hits if hit.field is Field.IDNO and idno_in(hit.value) == idno]
    names: dict[str, None] = {}
    for hit in hits:
        if hit.field is not Field.NAME:
            continue
        is_beside = any(hit.label.parent is row for row in own_rows)
        if end is not None and hit.label.start > end and not is_beside:
            continue
        name = text_or_none(hit.value)
        if name and len(name) <= _MAX_LENGTH and not _is_no_name(name) and message_of(name) is None:
            names[name] = None
    return list(names)


def _without_kind_of_page(text: str, title: str) -> str:
    """Return a heading without the words that name the kind of the page, unless the page's title has them too.

    "Compania Alfa Fruct" on a page with the title "Alfa Fruct – OpenMoney" → "Alfa Fruct"
    """
    if title and comparison_key(title).startswith(comparison_key(text)):
        return text
    starts = {fold(start) for start in title_starts(title)}
    found = text.split()
    for count in range(1, min(_MAX_KIND_WORDS, len(found))):
        rest = " ".join(found[count:])
        if fold(rest) in starts and is_generic_title(" ".join(found[:count])):
            return rest
    return without_generic_start(text)


def _differ_in_script(one: str, other: str) -> bool:
    """Tell whether one of two names is in Cyrillic letters and the other is not; then they cannot be compared."""
    return any("а" <= letter <= "я" for letter in one.lower()) is not any(
        "а" <= letter <= "я" for letter in other.lower()
    )
