"""Reader of rendered HTML: finds facts by labels and structure, so it does not depend on the layout."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from pipeline.transform.html.activities import read_activities
from pipeline.transform.html.company_region import CompanyRegion
from pipeline.transform.html.idno_texts import idno_in
from pipeline.transform.html.key_figures import read_key_figures
from pipeline.transform.html.label_scan import LabelledValue, find_labelled_values
from pipeline.transform.html.page_tree import IDNO_TEXT, Node, PageTree, read_page, text_of
from pipeline.transform.html.party_fields import read_party_fields, truncated_activities
from pipeline.transform.html.unknown_labels import unknown_labels
from pipeline.transform.places import address_parts, cuatm_in
from pipeline.transform.reading import Reading, abbreviate
from pipeline.transform.source_text import comparison_key, fold, parse_date, text_or_none
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import (
    AMBIGUOUS_FORM_LABELS,
    ERROR_OPENINGS,
    ERROR_TEXTS,
    NOT_FOUND_TEXTS,
    field_of,
    is_action,
    mentions,
)
from pipeline.transform.vocabulary.terms import labelled_status_of, legal_form_name, legal_form_of, status_of
from warehouse.records.models import Activity, CompanyStatus, Cuatm

_Value = TypeVar("_Value")
_CYRILLIC_OR_ROMANIAN = re.compile(r"[а-яăâîșțşţ]", re.IGNORECASE)
_BADGE_PARTS = re.compile(r"\s*[·•|]\s*|\s+[–—/]\s+")
_BADGE_TEXTS = 8
"""Maximum number of texts after the heading that are read as badges (a status, a legal form)."""
_MAX_FORM_LENGTH = 120
_MESSAGE_END = " :!,."
_HTTP_STATUS = re.compile(r"^[45]\d\d[\s:–—-]+")
_MAX_LABELS = 1000
"""Four times as many labels as on any company's page. A limit is needed because the time to assign labels to blocks
grows quadratically with the number of labels."""


def read_html(html: str, idno: str) -> Reading:
    """Read a page as the page of the company `idno`.

    The reading's `idno` is the IDNO that the page shows for its company. If it differs from the argument, the page
    belongs to another company. If it is None, the page shows no IDNO. Without a heading, only the IDNO is read. With
    too many labels, only the IDNO and the name are read.
    """
    page = read_page(html)
    hits = find_labelled_values(page)
    if page.heading is None:
        return Reading(idno=_shown_idno(page, hits, None, idno))
    if len(hits) > _MAX_LABELS:
        shown = _shown_idno(page, hits, None, idno)
        note = f"the page shows {len(hits)} labels, {_MAX_LABELS} at most are looked at"
        return Reading(idno=shown, name=_company_name(page.heading), notes=(note,))
    region = CompanyRegion(page, page.heading, idno, hits)
    return _reading(region, _shown_idno(page, hits, region, idno))


def _reading(region: CompanyRegion, idno: str | None) -> Reading:
    hits = region.company_hits()
    badges = list(_badges(region))
    facts = _FactCollector()
    listed = read_party_fields(region, hits)
    legal_form = facts.single_value(Field.LEGAL_FORM, _legal_forms(hits, badges))
    address = facts.single_value(Field.ADDRESS, _addresses(hits))
    name = _company_name(region.heading)
    facts.raw["name"] = region.heading.text
    facts.copy_raw("legal_form_name", Field.LEGAL_FORM)
    facts.copy_raw("address_parts", Field.ADDRESS)
    return Reading(
        idno=idno,
        name=name,
        legal_form=legal_form,
        legal_form_name=legal_form_name(legal_form),
        status=facts.single_value(Field.STATUS, _statuses(hits, badges)),
        registered_on=facts.single_value(Field.REGISTERED_ON, _dates(hits)),
        address=address,
        address_parts=address_parts(address) if address else None,
        cuatm=facts.single_value(Field.CUATM, _cuatms(hits)),
        founders=listed.parties[Field.FOUNDERS],
        administrators=listed.parties[Field.ADMINISTRATORS],
        licensed_activities=facts.activity_list(Field.LICENSED, hits),
        unlicensed_activities=facts.activity_list(Field.UNLICENSED, hits),
        statements=read_key_figures(
            region.page.root, region.figure_hits(), heading=region.heading, notes=facts.notes
        ),
        raw={**facts.raw, **listed.raw},
        remarks=listed.remarks,
        unread=tuple(listed.unread),
        incomplete=frozenset(listed.incomplete | truncated_activities(region, hits)),
        unknown=tuple(unknown_labels(region, hits)),
        notes=tuple(facts.notes),
    )


class _FactCollector:
    """Selects the values of fields; collects their raw texts, and notes on the texts that were not accepted."""

    def __init__(self) -> None:
        self.raw: dict[str, str] = {}
        self.notes: list[str] = []

    def single_value(self, field: Field, shown: Iterable[tuple[_Value, str]]) -> _Value | None:
        """Return the only value of a field. If the page shows different values, add a note and return None."""
        different: dict[_Value, str] = {}
        for value, text in shown:
            different.setdefault(value, text)
        if len(different) > 1:
            self.notes.append(
                f"{field}: the page shows {len(different)} different values: {list(different)!r}"
            )
            return None
        for value, text in different.items():
            self.raw[field] = text
            return value
        return None

    def copy_raw(self, field: str, lead: Field) -> None:
        """Record the raw text of the field `lead` for the field `field` too, which is derived from it."""
        if lead in self.raw:
            self.raw[field] = self.raw[lead]

    def activity_list(self, field: Field, hits: Sequence[LabelledValue]) -> tuple[Activity, ...]:
        """Return the activities of a field. If a list is unreadable or two lists differ, add a note and return ()."""
        lists = [hit for hit in hits if hit.field is field and text_or_none(hit.value)]
        read = [read_activities(hit) for hit in lists]
        different = {tuple(comparison_key(activity.name) for activity in some) for some in read if some}
        if None in read or len(different) > 1:
            self.notes.append(f"{field}: not all of the list can be read: {abbreviate(lists[0].value)}")
            return ()
        activities = next((some for some in read if some), ())
        self._keep_raw(field, lists, bool(activities))
        return activities

    def _keep_raw(self, field: Field, lists: Sequence[LabelledValue], is_read: bool) -> None:
        """If the lists were accepted (`is_read`), record their texts as the raw text of the field."""
        if is_read:
            self.raw[field] = " ".join(hit.value for hit in lists if hit.value)


def _shown_idno(
    page: PageTree, hits: Sequence[LabelledValue], region: CompanyRegion | None, idno: str
) -> str | None:
    """Return the IDNO that the page shows for its company: after a label, or as a text of its own outside of links.

        <main><h1>PLOPENA AGRO</h1>
        <p>IDNO: 1020999000019</p></main>

    → "1020999000019"
    """
    labelled = [(hit, value) for hit in hits if hit.field is Field.IDNO and (value := idno_in(hit.value))]
    if any(value == idno for _, value in labelled):
        return idno
    if any(leaf.text == idno and leaf.ancestor("a") is None for leaf in page.root.leaves()):
        return idno
    # An IDNO in a list of other companies, or in the site operator's data, is not the IDNO of the page's company.
    return next(
        (value for hit, value in labelled if region is None or not _is_not_about_page(region, hit)), None
    )


def _is_not_about_page(region: CompanyRegion, hit: LabelledValue) -> bool:
    """Tell whether an IDNO is not that of the page's company: it precedes the heading, or is in a link or a list.

        <ul><li><b>ALTA</b> <span>IDNO: 1020999009997</span></li>
        <li><b>ALFA FRUCT</b> <span>IDNO: 1007998000019</span></li></ul>

    → True for both
    """
    if hit.label.start < region.heading.start or hit.label.ancestor("a") is not None:
        return True
    # In a list of facts, the item with the IDNO contains nothing else. In a list of companies, it has other texts too.
    item = hit.label.ancestor("li")
    alone = (comparison_key(hit.label.text), comparison_key(f"{hit.label.text} {hit.value}"))
    return item is not None and comparison_key(item.text) not in alone


def _company_name(heading: Node) -> str | None:
    """Return the heading's text without the badges inside it; None if the heading is an error message.

        <h1>PLOPENA AGRO <span>Activă</span></h1>

    → "PLOPENA AGRO"
    """
    badges = [node for node in heading.descendants() if node.tag and _is_badge(node.text)]
    rest = text_of([heading], badges)
    name = text_or_none(rest if rest else heading.text)
    if name is None or is_error_text(name) or not comparison_key(name) or IDNO_TEXT.fullmatch(name):
        return None
    return name


def _is_badge(text: str) -> bool:
    """Tell whether a text is a status or a legal form, or ends with an IDNO."""
    return status_of(text) is not None or legal_form_of(text) is not None or bool(idno_in(text[-13:]))


def is_error_text(text: str) -> bool:
    """Tell whether the text of a heading is a message of the site, not a name."""
    opening, has_status = _HTTP_STATUS.subn("", fold(text)[:60])
    if mentions(text, NOT_FOUND_TEXTS) or (has_status and mentions(opening, ERROR_TEXTS)):
        return True
    return any(
        opening == phrase
        or (opening.startswith(phrase) and opening[len(phrase)] in _MESSAGE_END and not phrase.isdigit())
        for phrase in (*ERROR_TEXTS, *ERROR_OPENINGS)
    )


def _badges(region: CompanyRegion) -> Iterator[str]:
    """Yield the texts that may be badges: elements inside the heading, and texts between it and the first label.

        <h1>PLOPENA AGRO <span>Activă</span></h1>
        <p>SRL · Chișinău</p>

    → "Activă", "SRL", "Chișinău"
    """
    heading = region.heading
    yield from (node.text for node in heading.descendants() if node.tag)
    around = next(iter(list(heading.ancestors())[1::-1]), heading)
    labels = [hit.label.start for hit in region.hits if hit.label.start > heading.end]
    first_label = min(labels, default=around.end)
    after = [
        leaf
        for leaf in around.leaves()
        if heading.end < leaf.start < first_label and leaf.ancestor("a") is None
    ]
    for leaf in after[:_BADGE_TEXTS]:
        if leaf.text != heading.text and not region.is_foreign(leaf):
            yield from _BADGE_PARTS.split(leaf.text)


def _values_of(hits: Sequence[LabelledValue], field: Field) -> list[tuple[LabelledValue, str]]:
    """Return the hits of a field whose value is not blank, each with its value as text."""
    return [(hit, text) for hit in hits if hit.field is field and (text := text_or_none(hit.value))]


def _addresses(hits: Sequence[LabelledValue]) -> list[tuple[str, str]]:
    """Return the addresses that hits state, with their raw texts."""
    # A value that reads like a label is the next label, and the address is blank. But in a cell of its own it is the
    # value.
    return [
        (text, text)
        for hit, text in _values_of(hits, Field.ADDRESS)
        if (field_of(text) is None or _is_cell_value(hit))
        and not is_action(text)
        and text[-1] != ":"
        and "@" not in text.split(" ")[0]
    ]


def _is_cell_value(hit: LabelledValue) -> bool:
    """Tell whether a value fills the cell next to its label; then it is a value even if it reads like a label.

        <tr><th>Adresa</th><td>Statut</td></tr>
        <dl><dt>Adresa</dt><dd>Statut</dd></dl>

    → True for both
    """
    return (hit.label.tag, *(node.tag for node in hit.nodes)) in (("th", "td"), ("dt", "dd"))


def _legal_forms(hits: Sequence[LabelledValue], badges: Sequence[str]) -> list[tuple[str, str]]:
    """Return the legal forms that labels state, with their raw texts; if no label states one, those in badges."""
    forms: list[tuple[str, str]] = []
    for hit, text in _values_of(hits, Field.LEGAL_FORM):
        if form := legal_form_of(text):
            forms.append((form, text))
        elif fold(hit.label.text).rstrip(" :") not in AMBIGUOUS_FORM_LABELS and _can_be_form(text):
            forms.append((text, text))
    return forms or [(form, text) for text in badges if (form := legal_form_of(text))]


def _can_be_form(text: str) -> bool:
    """Tell whether a text next to the label of a legal form can be a legal form that is not in the vocabulary."""
    is_form = len(text) <= _MAX_FORM_LENGTH and not any(letter.isdigit() or letter == ":" for letter in text)
    return is_form and field_of(text) is None and status_of(text) is None


def _statuses(hits: Sequence[LabelledValue], badges: Sequence[str]) -> list[tuple[CompanyStatus, str]]:
    """Return the statuses that labels state, with their raw texts; if no label states one, those in badges."""
    labelled = [(labelled_status_of(text), text) for _, text in _values_of(hits, Field.STATUS)]
    shown = labelled or [(status_of(text), text) for text in badges]
    return [(status, text) for status, text in shown if status is not None]


def _dates(hits: Sequence[LabelledValue]) -> list[tuple[date, str]]:
    """Return the dates of registration with their raw texts."""
    # 03/04/2020 is the third of April in Romanian and Russian, and ambiguous in English.
    day_first = any(_CYRILLIC_OR_ROMANIAN.search(hit.label.text) for hit in hits)
    read = [
        (parse_date(text, day_first=day_first), text) for _, text in _values_of(hits, Field.REGISTERED_ON)
    ]
    return [(value, text) for value, text in read if value is not None]


def _cuatms(hits: Sequence[LabelledValue]) -> list[tuple[Cuatm, str]]:
    """Return the CUATM units with their raw texts."""
    read = [
        (cuatm_in(text), text)
        for _, text in _values_of(hits, Field.CUATM)
        if field_of(text) is None and not is_action(text)
    ]
    return [(value, text) for value, text in read if value is not None]
