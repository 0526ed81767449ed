"""The parts of a capture that identify its company: names, addresses, numbers and ids."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape

from bs4 import BeautifulSoup

from pipeline.transform.html.label_scan import LabelledValue, find_labelled_values
from pipeline.transform.html.page_tree import read_page
from pipeline.transform.merge import NotThisCompany, Transformed, transform
from pipeline.transform.source_text import collapse, fold, text_or_none
from pipeline.transform.vocabulary.field import PARTY_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH, is_action
from tests.cases.common_words import LETTERS, is_common
from tests.cases.html_text import TextPart, spans_in
from tests.cases.json_text import JsonValue, values_in
from tests.cases.made_up import diacritic_positions
from warehouse.records.models import Party, PartyKind

IDNO = re.compile(r"(?<![0-9])[0-9]{13}(?![0-9])")
HEXADECIMAL = re.compile(
    r"(?<![\w-])(?:[0-9a-f]{24,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![\w-])", re.IGNORECASE
)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(
    r"(?<![\w.,-])(?:\+\d[\d\s()-]{7,17}\d|\(?0\d{2}\)?[\s-]?\d{2,3}[\s-]?\d{2,3}[\s-]?\d{0,3}|373\d{8})(?!\d)"
)
CODE_KEYS = frozenset({"id", "statisticId", "code"})
_PERSONS = re.compile(r"benefic|contabil|бенефициар|бухгалтер|accountant")
_CLASSIFIED = re.compile(r"cuatm|activit", re.IGNORECASE)
_NAME_KEYS = frozenset({"fullName", "name", "organizationName"})
_ADDRESS_KEYS = frozenset({"address", "street", "city"})
_SHORT_CODE = 3
_LONGEST = 400


@dataclass(frozen=True)
class Identity:
    """Everything in a capture that identifies its company, parties or other companies."""

    own_names: frozenset[str]
    """The names of the company and of persons; each must be changed."""
    names: frozenset[str]
    addresses: frozenset[str]
    words: dict[str, frozenset[int]]
    """The folded words of names and addresses, each with the positions at which it has a diacritic."""
    idnos: frozenset[str]
    codes: frozenset[str]
    all_words: frozenset[str]
    """All folded words of the capture; a fake word must not be one of them."""


def json_texts_in(html: str, bodies: Iterable[str]) -> list[str]:
    """Return the JSON texts of a capture: its bodies, and the JSON that its page embeds."""
    data = [html[span.start : span.end] for span in spans_in(html) if span.part is TextPart.DATA]
    return [*bodies, *(text for text in data if is_json(text))]


def is_json(text: str) -> bool:
    """Tell whether a text is a JSON object or list."""
    if not text.strip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def identity_of(idno: str, html: str, bodies: Sequence[bytes], texts: Sequence[str]) -> Identity:
    """Collect everything that identifies a capture's company, its parties, and others that it names.

    `texts` are the bodies as text. Raise NotThisCompany if the capture cannot be read.
    """
    readings = list(_readings(idno, html, bodies))
    unknown = {key.rpartition(".")[2] for reading in readings for key in reading.unknown}
    values = [value for text in json_texts_in(html, texts) for value in values_in(text) if not value.is_key]
    own = {name for reading in readings for name in _own_names(reading)}
    named = {value.text for value in values if _is_name(value) or unknown.intersection(value.path)}
    parties = {party.name for reading in readings for party in _parties(reading)}
    on_page = find_labelled_values(read_page(html))
    others = {hit.value for hit in on_page if _is_name_of_other(hit)} | _linked(html, idno)
    addresses = {
        *(reading.facts.address for reading in readings),
        *(value.text for value in values if _is_address(value)),
        *(hit.value for hit in on_page if hit.field is Field.ADDRESS and len(hit.value) <= _LONGEST),
    }
    names = frozenset(filter(text_or_none, own | parties | named | others))
    whole_addresses = frozenset(address for address in addresses if address and text_or_none(address))
    codes = {value.text for value in values if _is_code(value)}.union(*map(_codes, readings))
    everything = "\n".join([unescape(html), *texts, *(value.text for value in values)])
    return Identity(
        own_names=frozenset(own),
        names=names,
        addresses=whole_addresses,
        words=_words([*names, *whole_addresses], everything),
        idnos=frozenset({idno, *IDNO.findall(everything)}),
        codes=frozenset(code for code in codes if code.isdigit() and len(code) > _SHORT_CODE),
        all_words=frozenset(map(fold, LETTERS.findall(everything))),
    )


def _readings(idno: str, html: str, bodies: Sequence[bytes]) -> Iterator[Transformed]:
    """Yield the facts of the whole capture and of the page alone, which can spell names differently."""
    yield transform(idno=idno, html=html, bodies=list(bodies))
    try:
        yield transform(idno=idno, html=html, bodies=[])
    except NotThisCompany:
        return


def _parties(reading: Transformed) -> Iterator[Party]:
    yield from (*reading.facts.founders, *reading.facts.administrators)


def _own_names(reading: Transformed) -> Iterator[str]:
    yield reading.facts.name
    yield from (party.name for party in _parties(reading) if party.kind is PartyKind.PERSON)


def _is_name(value: JsonValue) -> bool:
    return value.key in _NAME_KEYS and not _CLASSIFIED.search(".".join(value.path))


def _is_address(value: JsonValue) -> bool:
    return value.key in _ADDRESS_KEYS or value.path[-2:] == ("address", "fullName")


def _is_code(value: JsonValue) -> bool:
    return value.key == "cuiio" or ("cuatm" in value.path and value.key in CODE_KEYS)


def _codes(reading: Transformed) -> set[str]:
    """Return the statistical codes of the place and of the company."""
    place = reading.facts.cuatm
    codes = (place.code if place else None, *(statement.cuiio for statement in reading.facts.statements))
    return {code for code in codes if code}


def _linked(html: str, idno: str) -> set[str]:
    """Return the names of other companies that the page links to."""
    links = BeautifulSoup(html, "lxml").find_all("a", href=IDNO)
    texts = {collapse(link.get_text(" ")) for link in links if idno not in str(link["href"])}
    return {text for text in texts if len(text) <= LABEL_LENGTH and not is_action(text)}


def _is_name_of_other(hit: LabelledValue) -> bool:
    """Tell whether a labelled value can be a name that no reading contains, such as an owner or accountant."""
    is_other = hit.field is Field.OTHER and _PERSONS.search(fold(hit.label.text)) is not None
    is_name = is_other or hit.field in PARTY_FIELDS or hit.field is Field.NAME
    return is_name and len(hit.value) <= _LONGEST


def _words(texts: Iterable[str], everything: str) -> dict[str, frozenset[int]]:
    folded = {fold(word) for text in texts for word in LETTERS.findall(text) if not is_common(word)}
    marks: dict[str, set[int]] = {word: set() for word in folded}
    for word in LETTERS.findall(everything):
        if (key := fold(word)) in marks:
            marks[key] |= diacritic_positions(word)
    return {word: frozenset(places) for word, places in marks.items()}
