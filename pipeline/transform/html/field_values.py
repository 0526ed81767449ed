"""The values that a page shows for the fields with one value, each as its grammar reads it, with the text shown."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from pipeline.transform.address_text import read_address
from pipeline.transform.date_text import read_date
from pipeline.transform.grammar import Parsed, unread
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.value_lines import SEPARATORS, starts_with_label
from pipeline.transform.legal_form_text import read_legal_form
from pipeline.transform.places import read_cuatm
from pipeline.transform.source_text import collapse, fold
from pipeline.transform.status_text import read_status
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import AMBIGUOUS_FORM_LABELS, field_of, is_action
from pipeline.transform.vocabulary.placeholders import says_no_value
from pipeline.transform.vocabulary.terms import legal_form_of
from warehouse.records.models import CompanyStatus, Cuatm

_Value = TypeVar("_Value")
_CYRILLIC_OR_ROMANIAN = re.compile(r"[а-яăâîșțşţ]", re.IGNORECASE)
_LONGEST_QUOTE = 200


def shown_addresses(hits: Sequence[LabelledValue]) -> list[tuple[Parsed[str], str]]:
    """Return the addresses that labels state, with their texts."""
    return _read(hits, Field.ADDRESS, read_address)


def shown_legal_forms(hits: Sequence[LabelledValue], badges: Sequence[str]) -> list[tuple[Parsed[str], str]]:
    """Return the legal forms that labels state, with their texts; if no label states one, those in badges."""
    certain = [hit for hit in hits if fold(hit.caption).rstrip(" :") not in AMBIGUOUS_FORM_LABELS]
    # A label such as "Tip" announces something else than a legal form, unless the text is one.
    ambiguous = [hit for hit in hits if hit not in certain and legal_form_of(hit.value)]
    forms = _read([*certain, *ambiguous], Field.LEGAL_FORM, read_legal_form)
    return forms or [(Parsed(form), text) for text in badges if (form := legal_form_of(text))]


def shown_statuses(
    hits: Sequence[LabelledValue], badges: Sequence[str], latest: date
) -> list[tuple[Parsed[CompanyStatus], str]]:
    """Return the statuses that labels state, with their texts, and those in badges.

        <h1>PLOPENA AGRO</h1><p>În lichidare</p>
        <dl><dt>Statut</dt><dd>Activă</dd></dl>

    → both; so the company is not read as active
    """

    def labelled(text: str) -> Parsed[CompanyStatus]:
        return read_status(text, latest=latest)

    stated = _read(hits, Field.STATUS, labelled)
    badged = [(read_status(text, labelled=False, latest=latest), text) for text in badges]
    understood = [(status, text) for status, text in badged if status.value is not None or status.remarks]
    return [*stated, *understood]


def registration_dates(hits: Sequence[LabelledValue], latest: date) -> list[tuple[Parsed[date], str]]:
    """Return the dates of registration, with their texts."""
    # 03/04/2020 is the third of April in Romanian and Russian, and ambiguous in English.
    day_first = any(_CYRILLIC_OR_ROMANIAN.search(hit.caption) for hit in hits)

    def read(text: str) -> Parsed[date]:
        return read_date(text, day_first=day_first, latest=latest)

    return _read(hits, Field.REGISTERED_ON, read)


def shown_cuatms(hits: Sequence[LabelledValue]) -> list[tuple[Parsed[Cuatm], str]]:
    """Return the CUATM units, with their texts."""
    return _read(hits, Field.CUATM, read_cuatm)


def _read(
    hits: Sequence[LabelledValue], field: Field, grammar: Callable[[str], Parsed[_Value]]
) -> list[tuple[Parsed[_Value], str]]:
    """Return what the grammar reads from each text that stands in the place of a field's value."""
    read: list[tuple[Parsed[_Value], str]] = []
    for hit in hits:
        if hit.field is not field:
            continue
        read += [(grammar(text), text) for text in _value_texts(hit)]
        if field is not Field.STATUS and (text := _text_without_end(hit)):
            read.append((unread("it is not certain where the value ends"), text))
    return read


def _text_without_end(hit: LabelledValue) -> str | None:
    """Return the text after a label that has no value because it is not certain where the value ends; else None.

        <p><b>Adresa:</b> MD-2001<br>str. Pilda (bloc: 2)</p>

    → "MD-2001"
    """
    if hit.value:
        return None
    after = (sibling for sibling in hit.label.following_siblings() if sibling.text.strip(SEPARATORS))
    first = next(after, None)
    if first is None or first.shape == hit.label.shape or starts_with_label(first) or is_action(first.text):
        return None
    return None if says_no_value(first.text) else first.text[:_LONGEST_QUOTE]


def _value_texts(hit: LabelledValue) -> Iterator[str]:
    """Yield the text in the place of a value. There is none if it says so, or if it is an action or the next label.

        <dt>Adresa</dt><dd>—</dd>
        <p>Adresa</p><p>Statut:</p>

    → nothing for both
    """
    text = collapse(hit.value)
    if says_no_value(text) or is_action(text) or text[-1] == ":":
        return
    # A text that reads like a label is the next label, but not in a cell of its own.
    if field_of(text) is None or _is_cell_value(hit):
        yield text


def _is_cell_value(hit: LabelledValue) -> bool:
    """Tell whether a value fills the cell next to its label; then it is a value even if it reads like a label.

        <tr><th>Adresa</th><td>Statut</td></tr>
        <dl><dt>Adresa</dt><dd>Statut</dd></dl>

    → True for both
    """
    return (hit.label.tag, *(node.tag for node in hit.nodes)) in (("th", "td"), ("dt", "dd"))
