"""The reading of the rendered HTML, with BeautifulSoup: by labels and structure, whatever the layout."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from bs4.element import NavigableString, Tag

from pipeline.transform.document import Page, branches, read_page, shape, text_nodes, visible_text
from pipeline.transform.fields import Found, find_fields
from pipeline.transform.labels import (
    ERROR_TEXTS,
    NOT_FOUND_TEXTS,
    Field,
    field_of,
    legal_form_of,
    says,
    status_of,
)
from pipeline.transform.parties import read_parties
from pipeline.transform.reading import Reading
from pipeline.transform.text import bare, fold, parse_date, present
from warehouse.idno import InvalidIdno, parse_idno
from warehouse.records import CompanyStatus, Party

_Value = TypeVar("_Value")
_IDNO = re.compile(r"(?<![0-9])[0-9]{13}(?![0-9])")
_CYRILLIC_OR_ROMANIAN = re.compile(r"[а-яăâîșțşţ]", re.IGNORECASE)


@dataclass(frozen=True)
class _Company:
    """The page seen from one company: its heading, and the labels that speak of it."""

    page: Page
    heading: Tag
    idno: str
    found: list[Found]


def read_html(html: str, idno: str) -> Reading:
    """Read a page as the page of the company `idno`.

    The reading's `idno` is the one the page itself shows: another one means another company's page, None
    that it shows none; no other fact is taken then without a heading that can be a name.
    """
    page = read_page(html)
    found = find_fields(page)
    shown = _shown_idno(page, found, idno)
    if page.heading is None:
        return Reading(idno=shown)
    company = _Company(page, page.heading, idno, found)
    accepted = [hit for hit in found if _is_of_company(company, hit)]
    return _reading(company, accepted, shown)


def _reading(company: _Company, accepted: list[Found], shown: str | None) -> Reading:
    notes: list[str] = []
    day_first = any(_CYRILLIC_OR_ROMANIAN.search(visible_text(hit.place)) for hit in accepted) or not any(
        field_of(visible_text(hit.place)) is Field.REGISTERED_ON for hit in accepted
    )
    return Reading(
        idno=shown,
        name=_name(company.heading),
        legal_form=_only(_legal_forms(accepted), Field.LEGAL_FORM, notes),
        status=_only(_statuses(accepted, company.heading), Field.STATUS, notes),
        registered_on=_only(_dates(accepted, day_first=day_first), Field.REGISTERED_ON, notes),
        address=_only(_texts(accepted, Field.ADDRESS), Field.ADDRESS, notes),
        founders=_parties(accepted, Field.FOUNDERS),
        administrators=_parties(accepted, Field.ADMINISTRATORS),
        notes=tuple(notes),
    )


def _shown_idno(page: Page, found: Sequence[Found], idno: str) -> str | None:
    """The IDNO that the page says is its company's: by its label, or standing alone near the heading."""
    labelled = [value for hit in found if hit.field is Field.IDNO and (value := _valid_idno(hit.value))]
    if idno in labelled:
        return idno
    alone = [text for node in text_nodes(page.root) if (text := visible_text(node)) == idno and not _in_link(node)]
    if alone:
        return idno
    return labelled[0] if labelled else None


def _in_link(node: NavigableString) -> bool:
    return node.find_parent(("a", "button")) is not None


def _valid_idno(text: str) -> str | None:
    match = _IDNO.fullmatch(text.strip(" :."))
    try:
        return parse_idno(match[0]) if match else None
    except InvalidIdno:
        return None


def _is_of_company(company: _Company, hit: Found) -> bool:
    """Tell whether a label speaks of the company under the heading, or stands in the page's frame.

    It does if its branch of the page (seen from the heading) holds a certain fact of the company, lies
    before such a fact, or is one field that looks like its siblings that are.
    """
    if hit.field is Field.OTHER or hit.field is Field.NAME:
        return False
    fork = branches(company.heading, hit.place)
    if fork is None:
        return False
    trunk, branch = fork
    if _is_foreign(company, hit, branch):
        return False
    anchors = [other for other in company.found if _is_certain(company, other)]
    if any(_holds(branch, anchor.place) for anchor in anchors):
        return True
    siblings = [child for child in trunk.children if isinstance(child, Tag)]
    certain = [child for child in siblings if any(_holds(child, anchor.place) for anchor in anchors)]
    if not certain or not isinstance(branch, Tag):
        return any(anchor.place.parent is hit.place.parent for anchor in anchors)
    after_heading = siblings.index(branch) > _index_holding(siblings, company.heading)
    if after_heading and siblings.index(branch) < siblings.index(certain[-1]):
        return True
    return _is_one_field(branch, hit) and any(shape(child) == shape(branch) for child in certain)


def _index_holding(siblings: list[Tag], node: Tag) -> int:
    return next((i for i, sibling in enumerate(siblings) if _holds(sibling, node)), -1)


def _holds(outer: Tag | NavigableString, inner: Tag | NavigableString) -> bool:
    return outer is inner or any(parent is outer for parent in inner.parents)


def _is_certain(company: _Company, hit: Found) -> bool:
    """A fact that no frame of a page shows: this IDNO, a known legal form or status, a date of registration."""
    match hit.field:
        case Field.IDNO:
            return _valid_idno(hit.value) == company.idno
        case Field.LEGAL_FORM:
            return legal_form_of(hit.value) is not None and not _near_foreign_idno(company, hit)
        case Field.STATUS:
            return status_of(hit.value) is not None and not _near_foreign_idno(company, hit)
        case Field.REGISTERED_ON:
            return parse_date(hit.value) is not None and not _near_foreign_idno(company, hit)
        case _:
            return False


def _near_foreign_idno(company: _Company, hit: Found) -> bool:
    fork = branches(company.heading, hit.place)
    return fork is not None and _is_foreign(company, hit, fork[1])


def _is_foreign(company: _Company, hit: Found, branch: Tag | NavigableString) -> bool:
    """Tell whether a label stands in a block about another company: its IDNO is there, ours is not."""
    lists = [other for other in company.found if other.field in (Field.FOUNDERS, Field.ADMINISTRATORS)]
    if hit in lists:
        return False
    node: Tag | None = hit.place if isinstance(hit.place, Tag) else hit.place.parent
    while node is not None:
        text = visible_text(node)
        if company.idno in text:
            return False
        if any(number != company.idno for number in _IDNO.findall(text)) and not any(
            _holds(node, other.place) for other in lists
        ):
            return True
        if node is branch:
            return False
        node = node.parent
    return False


def _is_one_field(branch: Tag, hit: Found) -> bool:
    """Tell whether a block holds this label with its value and nothing else."""
    rest = bare(visible_text(branch))
    return rest in (bare(visible_text(hit.place) + hit.value), bare(visible_text(hit.place)))


def _name(heading: Tag) -> str | None:
    """The heading's text without badges (status, legal form) in elements of their own; None for an error text."""
    badges = [tag for tag in heading.find_all(True) if _is_badge(visible_text(tag))]
    texts = [node for node in text_nodes(heading) if not any(_holds(badge, node) for badge in badges)]
    whole = visible_text(heading) if not badges else " ".join(visible_text(node) for node in texts)
    name = present(whole)
    if name is None or is_error_text(name) or not bare(name) or _IDNO.fullmatch(name):
        return None
    return name


def _is_badge(text: str) -> bool:
    return status_of(text) is not None or legal_form_of(text) is not None or bool(_IDNO.search(text))


def is_error_text(text: str) -> bool:
    """Tell whether a heading is a message of the site and no name."""
    opening = fold(text)[:60]
    return says(text, NOT_FOUND_TEXTS) or any(
        opening == phrase or opening.startswith((f"{phrase} ", f"{phrase}:", f"{phrase}!", f"{phrase},", f"{phrase}."))
        for phrase in ERROR_TEXTS
    )


def _only(values: Iterable[_Value], field: Field, notes: list[str]) -> _Value | None:
    """The one value of a field; where the page shows two different ones, none, and a note."""
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        notes.append(f"{field}: the page shows {len(different)} different values: {different!r}")
        return None
    return different[0] if different else None


def _texts(found: Sequence[Found], field: Field) -> list[str]:
    return [text for hit in found if hit.field is field and (text := present(hit.value))]


def _legal_forms(found: Sequence[Found]) -> list[str]:
    return [legal_form_of(text) or text for text in _texts(found, Field.LEGAL_FORM)]


def _statuses(found: Sequence[Found], heading: Tag) -> list[CompanyStatus]:
    badges = [status_of(visible_text(tag)) for tag in heading.find_all(True)]
    labelled = [status_of(text) for text in _texts(found, Field.STATUS)]
    return [status for status in labelled or badges if status is not None]


def _dates(found: Sequence[Found], *, day_first: bool) -> list[date]:
    read = (parse_date(text, day_first=day_first) for text in _texts(found, Field.REGISTERED_ON))
    return [value for value in read if value is not None]


def _parties(found: Sequence[Found], field: Field) -> tuple[Party, ...]:
    parties: dict[Party, None] = {}
    for hit in found:
        if hit.field is field:
            parties.update(dict.fromkeys(read_parties(hit.nodes, hit.text)))
    return tuple(parties)
