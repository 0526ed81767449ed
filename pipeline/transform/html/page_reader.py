"""The reading of the rendered HTML, with BeautifulSoup: by labels and structure, whatever the layout."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from pipeline.transform.html.activities import read_activities
from pipeline.transform.html.company_region import IDNO_TEXT, Region, are_side_by_side, idno_in
from pipeline.transform.html.key_figures import read_figures
from pipeline.transform.html.label_scan import LabelledValue, find_fields
from pipeline.transform.html.page_tree import Node, PageTree, read_page, text_of
from pipeline.transform.html.parties import read_parties
from pipeline.transform.html.unknown_labels import unknown_labels
from pipeline.transform.json.values import shown
from pipeline.transform.places import address_parts, cuatm_in
from pipeline.transform.reading import Reading
from pipeline.transform.source_text import bare, fold, parse_date, present
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import (
    AMBIGUOUS_FORM_LABELS,
    ERROR_OPENINGS,
    ERROR_TEXTS,
    NOT_FOUND_TEXTS,
    field_of,
    is_action,
    says,
)
from pipeline.transform.vocabulary.terms import labelled_status_of, legal_form_name, legal_form_of, status_of
from warehouse.records.models import Activity, CompanyStatus, Cuatm, Party

_Value = TypeVar("_Value")
_CYRILLIC_OR_ROMANIAN = re.compile(r"[а-яăâîșțşţ]", re.IGNORECASE)
_BADGE_PARTS = re.compile(r"\s*[·•|]\s*|\s+[–—/]\s+")
_BADGES_WITHIN = 8
"""How many texts after the heading may be a badge: a status, a legal form."""
_LEGAL_FORM_LENGTH = 120
_AFTER_MESSAGE = " :!,."
_STATUS = re.compile(r"^[45]\d\d[\s:–—-]+")
_MOST_LABELS = 1000
"""No company's page has a quarter of it; where each belongs takes time that grows with the square of their number."""


def read_html(html: str, idno: str) -> Reading:
    """Read a page as the page of the company `idno`.

    The reading's `idno` is the one the page itself shows: another one means another company's page, None
    that it shows none; no other fact is taken then without a heading that can be a name.
    """
    page = read_page(html)
    found = find_fields(page)
    if page.heading is None:
        return Reading(idno=_shown_idno(page, found, None, idno))
    if len(found) > _MOST_LABELS:
        shown = _shown_idno(page, found, None, idno)
        note = f"the page shows {len(found)} labels, {_MOST_LABELS} at most are looked at"
        return Reading(idno=shown, name=_name(page.heading), notes=(note,))
    region = Region(page, page.heading, idno, found)
    return _reading(region, _shown_idno(page, found, region, idno))


def _reading(region: Region, idno: str | None) -> Reading:
    accepted = region.accepted()
    badges = list(_badges(region))
    taken = _Taken()
    legal_form = taken.only(Field.LEGAL_FORM, _legal_forms(accepted, badges))
    address = taken.only(Field.ADDRESS, _addresses(accepted))
    name = _name(region.heading)
    taken.raw["name"] = region.heading.text
    taken.follow("legal_form_name", Field.LEGAL_FORM)
    taken.follow("address_parts", Field.ADDRESS)
    return Reading(
        idno=idno,
        name=name,
        legal_form=legal_form,
        legal_form_name=legal_form_name(legal_form),
        status=taken.only(Field.STATUS, _statuses(accepted, badges)),
        registered_on=taken.only(Field.REGISTERED_ON, _dates(accepted)),
        address=address,
        address_parts=address_parts(address) if address else None,
        cuatm=taken.only(Field.CUATM, _cuatms(accepted)),
        founders=taken.parties(Field.FOUNDERS, accepted),
        administrators=taken.parties(Field.ADMINISTRATORS, accepted),
        licensed_activities=taken.activities(Field.LICENSED, accepted),
        unlicensed_activities=taken.activities(Field.UNLICENSED, accepted),
        statements=read_figures(
            region.page.root, region.figures(), heading=region.heading, notes=taken.notes
        ),
        raw=taken.raw,
        unknown=tuple(unknown_labels(region, accepted)),
        notes=tuple(taken.notes),
    )


class _Taken:
    """What is taken from a page: the texts that it stands in, and why other texts are not taken."""

    def __init__(self) -> None:
        self.raw: dict[str, str] = {}
        self.notes: list[str] = []

    def only(self, field: Field, shown: Iterable[tuple[_Value, str]]) -> _Value | None:
        """Return the one value of a field; where the page shows two different ones, none."""
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

    def follow(self, field: str, lead: Field) -> None:
        """Note that a field is read from the text of another one."""
        if lead in self.raw:
            self.raw[field] = self.raw[lead]

    def parties(self, field: Field, found: Sequence[LabelledValue]) -> tuple[Party, ...]:
        """Return the parties of all the lists of a field (persons and companies may have one each), or none of them."""
        parties: dict[Party, None] = {}
        lists = [hit for hit in found if hit.field is field]
        for hit in lists:
            listed = read_parties(hit)
            if listed is None or (len(lists) > 1 and _is_unread(hit)):
                self.notes.append(f"{field}: not all of the list can be read: {shown(hit.value)}")
                return ()
            if parties and not are_side_by_side(lists[0], hit) and not parties.keys() >= set(listed):
                self.notes.append(
                    f"{field}: the page shows several lists, and nothing says that they are one"
                )
                return ()
            parties.update(dict.fromkeys(listed))
        self._keep(field, lists, bool(parties))
        return tuple(parties)

    def activities(self, field: Field, found: Sequence[LabelledValue]) -> tuple[Activity, ...]:
        """Return the activities of a field's list; none where a part cannot be read, or two lists differ."""
        lists = [hit for hit in found if hit.field is field and present(hit.value)]
        read = [read_activities(hit) for hit in lists]
        different = {tuple(bare(activity.name) for activity in some) for some in read if some}
        if None in read or len(different) > 1:
            self.notes.append(f"{field}: not all of the list can be read: {shown(lists[0].value)}")
            return ()
        activities = next((some for some in read if some), ())
        self._keep(field, lists, bool(activities))
        return activities

    def _keep(self, field: Field, lists: Sequence[LabelledValue], is_read: bool) -> None:
        if is_read:
            self.raw[field] = " ".join(hit.value for hit in lists if hit.value)


def _shown_idno(
    page: PageTree, found: Sequence[LabelledValue], region: Region | None, idno: str
) -> str | None:
    """The IDNO that the page says is its company's: by its label, or standing alone outside of links."""
    labelled = [(hit, value) for hit in found if hit.field is Field.IDNO and (value := idno_in(hit.value))]
    if any(value == idno for _, value in labelled):
        return idno
    if any(leaf.text == idno and leaf.within("a") is None for leaf in page.root.leaves()):
        return idno
    # One that stands in a list of others or with the site's own facts says nothing of the page.
    return next((value for hit, value in labelled if region is None or not _is_aside(region, hit)), None)


def _is_aside(region: Region, hit: LabelledValue) -> bool:
    if hit.place.start < region.heading.start or hit.place.within("a") is not None:
        return True
    # A list of facts has an item for the IDNO alone; in a list of others an item holds more.
    item = hit.place.within("li")
    alone = (bare(hit.place.text), bare(f"{hit.place.text} {hit.value}"))
    return item is not None and bare(item.text) not in alone


def _name(heading: Node) -> str | None:
    """The heading's text without badges (status, legal form) in elements of their own; None for an error text."""
    badges = [node for node in heading.descendants() if node.tag and _is_badge(node.text)]
    rest = text_of([heading], badges)
    name = present(rest if rest else heading.text)
    if name is None or is_error_text(name) or not bare(name) or IDNO_TEXT.fullmatch(name):
        return None
    return name


def _is_badge(text: str) -> bool:
    return status_of(text) is not None or legal_form_of(text) is not None or bool(idno_in(text[-13:]))


def is_error_text(text: str) -> bool:
    """Tell whether a heading is a message of the site and no name."""
    opening, has_status = _STATUS.subn("", fold(text)[:60])
    if says(text, NOT_FOUND_TEXTS) or (has_status and says(opening, ERROR_TEXTS)):
        return True
    return any(
        opening == phrase
        or (opening.startswith(phrase) and opening[len(phrase)] in _AFTER_MESSAGE and not phrase.isdigit())
        for phrase in (*ERROR_TEXTS, *ERROR_OPENINGS)
    )


def _badges(region: Region) -> Iterator[str]:
    """Yield the texts in the heading's own elements, and those right after it up to the first label."""
    heading = region.heading
    yield from (node.text for node in heading.descendants() if node.tag)
    around = next(iter(list(heading.ancestors())[1::-1]), heading)
    labels = [hit.place.start for hit in region.found if hit.place.start > heading.end]
    first_label = min(labels, default=around.end)
    after = [
        leaf
        for leaf in around.leaves()
        if heading.end < leaf.start < first_label and leaf.within("a") is None
    ]
    for leaf in after[:_BADGES_WITHIN]:
        if leaf.text != heading.text and not region.is_elsewhere(leaf):
            yield from _BADGE_PARTS.split(leaf.text)


def _texts(found: Sequence[LabelledValue], field: Field) -> list[tuple[LabelledValue, str]]:
    return [(hit, text) for hit in found if hit.field is field and (text := present(hit.value))]


def _addresses(found: Sequence[LabelledValue]) -> list[tuple[str, str]]:
    # What is itself a label, known or not, is the next one: the address is blank. A cell holds a value.
    return [
        (text, text)
        for hit, text in _texts(found, Field.ADDRESS)
        if (field_of(text) is None or _is_in_cell(hit))
        and not is_action(text)
        and text[-1] != ":"
        and "@" not in text.split(" ")[0]
    ]


def _is_in_cell(hit: LabelledValue) -> bool:
    return (hit.place.tag, *(node.tag for node in hit.nodes)) in (("th", "td"), ("dt", "dd"))


def _legal_forms(found: Sequence[LabelledValue], badges: Sequence[str]) -> list[tuple[str, str]]:
    forms: list[tuple[str, str]] = []
    for hit, text in _texts(found, Field.LEGAL_FORM):
        if form := legal_form_of(text):
            forms.append((form, text))
        elif fold(hit.place.text).rstrip(" :") not in AMBIGUOUS_FORM_LABELS and _can_be_form(text):
            forms.append((text, text))
    return forms or [(form, text) for text in badges if (form := legal_form_of(text))]


def _can_be_form(text: str) -> bool:
    is_form = len(text) <= _LEGAL_FORM_LENGTH and not any(
        letter.isdigit() or letter == ":" for letter in text
    )
    return is_form and field_of(text) is None and status_of(text) is None


def _statuses(found: Sequence[LabelledValue], badges: Sequence[str]) -> list[tuple[CompanyStatus, str]]:
    labelled = [(labelled_status_of(text), text) for _, text in _texts(found, Field.STATUS)]
    shown = labelled or [(status_of(text), text) for text in badges]
    return [(status, text) for status, text in shown if status is not None]


def _dates(found: Sequence[LabelledValue]) -> list[tuple[date, str]]:
    # 03/04/2020 is the third of April, unless the page is in English.
    day_first = any(_CYRILLIC_OR_ROMANIAN.search(hit.place.text) for hit in found)
    read = [(parse_date(text, day_first=day_first), text) for _, text in _texts(found, Field.REGISTERED_ON)]
    return [(value, text) for value, text in read if value is not None]


def _cuatms(found: Sequence[LabelledValue]) -> list[tuple[Cuatm, str]]:
    read = [
        (cuatm_in(text), text)
        for _, text in _texts(found, Field.CUATM)
        if field_of(text) is None and not is_action(text)
    ]
    return [(value, text) for value, text in read if value is not None]


def _is_unread(hit: LabelledValue) -> bool:
    """Tell whether something stands beside a label that was not taken as its value."""
    return not hit.value and any(present(sibling.text) for sibling in hit.place.after())
