"""Parsers for places: addresses in the register's format, and CUATM units.

CUATM is the national classifier of administrative territorial units.
"""

import re
from collections.abc import Sequence

from pipeline.transform.grammar import Parsed, unread
from pipeline.transform.source_text import collapse, comparison_key, fold, text_or_none, words
from pipeline.transform.vocabulary.address_words import says_more
from pipeline.transform.vocabulary.placeholders import placeholder_reason
from warehouse.records.models import AddressParts, Cuatm

_POSTAL_CODE = re.compile(r"MD-?\s?(\d{4})", re.ASCII)
_APARTMENT = re.compile(r"ap\.?\s?([0-9]\S{0,9})", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9][\w/.\- ]{0,12}")
_STREET = re.compile(r"[^<>@:;()\[\]{}%]*[^\W\d_][^<>@:;()\[\]{}%]*")
_NAME = r"[^\W\d_][^\W\d_'’.\- ]*(?:[ '’.\-]+[^\W\d_][^\W\d_'’.\- ]*)*"
_MUNICIPALITY = re.compile(r"mun(?:\.|icipiul)\s?([^\W\d_]+(?:-[^\W\d_]+)?)", re.IGNORECASE)
_DISTRICT = re.compile(rf"r(?:-nul|\.|aionul)\s?({_NAME})", re.IGNORECASE)
_CITY = re.compile(_NAME)
_TOWN = re.compile(rf"(?:(?:s|sat|satul|or|oraș|orașul|oraşul)[. ]\s?)?({_NAME})", re.IGNORECASE)
_CHISINAU = "chisinau"
_SECTORS = frozenset(
    comparison_key(sector)
    for sector in words(
        """
        centru | botanica | buiucani | buicani | ciocana | rîșcani | râșcani | riscani | sectorul centru |
        sectorul botanica | sectorul buiucani | sectorul ciocana | sectorul rîșcani | sec. centru |
        sec. botanica | sec. buiucani | sec. ciocana | sec. rîșcani | sect. centru | sect. botanica |
        sect. buiucani | sect. ciocana | sect. rîșcani | or. chișinău | chișinău
        """
    )
)
"""The sectors of Chișinău. Its suburbs are not included: they are separate towns and villages."""
_CUATM = re.compile(
    r"(.*?)\s*[(\[]?\b([0-9]{4,7})\b[)\]]?|[(\[]?([0-9]{4,7})[)\]]?\s*[,–—-]?\s*(.*)", re.DOTALL
)
_UNIT_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .,'’()/-])*")
_LONGEST_UNIT = 80
_MARKS = " ,;:·–—-"
_LONGEST = 400


def address_parts(address: str) -> AddressParts | None:
    """Return the certain parts of an address; None if no part is certain.

    The register writes addresses like "MD-2001, CHIȘINĂU CENTRU, mun. Chișinău, Fierarilor, 2, ap. 3". Such an
    address does not contain the code of the sector or district, so this part stays empty.
    """
    pieces = [piece.strip() for piece in address.split(",")]
    postal_code = postal_code_in(address)
    rest = pieces[1:] if postal_code else pieces
    parts = _parts(rest) if len(address) <= _LONGEST else {}
    values = {"postal_code": postal_code, **parts}
    return AddressParts(**values) if any(values.values()) else None


def postal_code_in(address: str) -> str | None:
    """Return the postal code at the beginning of an address, as "MD-2001"."""
    match = _POSTAL_CODE.fullmatch(address.partition(",")[0].strip())
    return f"MD-{match[1]}" if match else None


def _parts(pieces: Sequence[str]) -> dict[str, str | None]:
    """Return the parts of an address from its pieces: the texts between commas, after the postal code.

    The street and its number are returned only if these two pieces, and at most an apartment, follow the place.
    """
    rest = list(pieces)
    apartment = match[1] if len(rest) > 1 and (match := _APARTMENT.fullmatch(rest[-1])) else None
    if apartment:
        rest.pop()
    city, streets = _split_place(rest)
    match streets:
        case [street, number] if _NUMBER.fullmatch(number) and _is_street(street):
            return {"city": city, "street": street, "street_number": number, "apartment": apartment}
        case _:
            return {"city": city}


def _is_street(text: str) -> bool:
    return _STREET.fullmatch(text) is not None and text_or_none(text) is not None and not _is_unit(text)


def _is_unit(text: str) -> bool:
    return (_MUNICIPALITY.fullmatch(text) or _DISTRICT.fullmatch(text)) is not None


def _split_place(pieces: list[str]) -> tuple[str | None, list[str]]:
    """Return the city or town, and the pieces after the place. The city is None if the place is not certain."""
    units = [i for i, piece in enumerate(pieces[:2]) if _is_unit(piece)]
    if len(units) != 1:
        return None, []
    at = units[0]
    rest = pieces[at + 1 :]
    if any(map(_is_unit, rest)):
        return None, []
    municipality = _MUNICIPALITY.fullmatch(pieces[at])
    before = pieces[0] if at == 1 else None
    if municipality is None:
        match = _TOWN.fullmatch(before) if before else None
        return (match[1] if match else None), rest
    city = municipality[1]
    if before is None or _is_sector(before, city):
        return city, rest
    return None, rest


def _is_sector(text: str, city: str) -> bool:
    """Tell whether a text names a sector of `city`, with or without the city: "CHIȘINĂU CENTRU", "RÎŞCANI"."""
    part, whole = comparison_key(text), comparison_key(city)
    if whole == _CHISINAU and part in _SECTORS:
        return True
    opening, _, sector = text.partition(" ")
    return comparison_key(opening) == whole and bool(sector) and _CITY.fullmatch(sector) is not None


def read_cuatm(text: str) -> Parsed[Cuatm]:
    """Read a CUATM unit: its name and its code, or one of them.

    "SEC.CENTRU (130000)" → the name "SEC.CENTRU" with the code "130000"
    "Conectați-vă", "0", "Sector necunoscut!" → unread
    """
    unit = collapse(text)
    if reason := placeholder_reason(unit):
        return unread(reason)
    match = _CUATM.fullmatch(unit) if len(unit) <= _LONGEST_UNIT else None
    code, name = (match[2] or match[3], match[1] or match[4] or "") if match else (None, unit)
    name = name.strip(_MARKS)
    if name and not _is_unit_name(name):
        return unread("it is not the name or the code of a unit")
    return Parsed(Cuatm(code=code, name=name or None))


def _is_unit_name(name: str) -> bool:
    return len(name) <= _LONGEST_UNIT and _UNIT_NAME.fullmatch(name) is not None and not says_more(fold(name))
