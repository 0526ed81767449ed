"""Verdicts on the items of a batch, and the validation of items. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from warehouse.idno import InvalidIdno, parse_idno

_SHOWN_CHARACTERS = 100
_KINDS = {bool: "a boolean", int: "a number", float: "a number", list: "an array", dict: "an object"}


class ItemVerdict(StrEnum):
    """The verdict on an item of a batch."""

    ACCEPTED = "accepted"
    """A new scrape fetches the company."""
    JOINED = "joined"
    """An open scrape already fetches the company."""
    CACHED = "cached"
    """The company has a fresh record."""
    INVALID = "invalid"
    """The item is not an IDNO."""
    DUPLICATE = "duplicate"
    """An earlier item of the batch names the same company."""


@dataclass(frozen=True)
class Item:
    """An item of a batch. The verdict is None until stored records and open scrapes have been looked up."""

    position: int
    given: str
    idno: str | None = None
    verdict: ItemVerdict | None = None
    reason: str | None = None


def read_items(idnos: Sequence[object]) -> list[Item]:
    """Return the items of a batch. Invalid items and duplicates have their verdict, with the reason."""
    items: list[Item] = []
    first_position: dict[str, int] = {}
    for position, given in enumerate(idnos):
        try:
            idno = _parse(given)
        except InvalidIdno as reason:
            items.append(Item(position, _shown(given), verdict=ItemVerdict.INVALID, reason=str(reason)))
            continue
        if idno in first_position:
            duplicate_reason = f"the same as item {first_position[idno]}"
            items.append(Item(position, _shown(given), idno, ItemVerdict.DUPLICATE, duplicate_reason))
        else:
            first_position[idno] = position
            items.append(Item(position, _shown(given), idno))
    return items


def _parse(given: object) -> str:
    if not isinstance(given, str):
        raise InvalidIdno(f"an IDNO must be a string, not {_kind(given)}")
    return parse_idno(given)


def _shown(given: object) -> str:
    """Return an item as a short text that PostgreSQL and JSON can store."""
    if not isinstance(given, str):
        return str(given)[:_SHOWN_CHARACTERS] if isinstance(given, bool | int | float) else _kind(given)
    # PostgreSQL accepts neither NUL nor a lone surrogate.
    text = given[:_SHOWN_CHARACTERS].encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
    return text[:_SHOWN_CHARACTERS]


def _kind(given: object) -> str:
    return _KINDS.get(type(given), "null")
