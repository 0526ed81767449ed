"""What each item of a batch is, before anything is looked up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from warehouse.idno import InvalidIdno, parse_idno

_SHOWN_CHARACTERS = 100
_KINDS = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


class ItemVerdict(StrEnum):
    """What becomes of an item of a batch."""

    ACCEPTED = "accepted"
    """A run will fetch it."""
    JOINED = "joined"
    """It is being fetched already."""
    CACHED = "cached"
    """A fresh record is held."""
    INVALID = "invalid"
    DUPLICATE = "duplicate"
    """Named before in the same batch."""


@dataclass(frozen=True)
class Item:
    """One item as it was given; the verdict is None as long as it depends on what is held and in flight."""

    position: int
    given: str
    idno: str | None = None
    verdict: ItemVerdict | None = None
    reason: str | None = None


def read_items(idnos: Sequence[object]) -> list[Item]:
    """Return the items of a batch; what is no IDNO, or comes twice, has its verdict and the reason."""
    items: list[Item] = []
    first: dict[str, int] = {}
    for position, given in enumerate(idnos):
        try:
            idno = _parse(given)
        except InvalidIdno as reason:
            items.append(Item(position, _shown(given), verdict=ItemVerdict.INVALID, reason=str(reason)))
            continue
        if idno in first:
            reason_text = f"the same as item {first[idno]}"
            items.append(Item(position, _shown(given), idno, ItemVerdict.DUPLICATE, reason_text))
        else:
            first[idno] = position
            items.append(Item(position, _shown(given), idno))
    return items


def _parse(given: object) -> str:
    if not isinstance(given, str):
        raise InvalidIdno(f"an IDNO has to be text, not {_kind(given)}")
    return parse_idno(given)


def _shown(given: object) -> str:
    """What was given, short, and such that it can be stored and sent."""
    if not isinstance(given, str):
        return str(given)[:_SHOWN_CHARACTERS] if isinstance(given, bool | int | float) else _kind(given)
    # No store takes NUL or half of a surrogate pair.
    text = given[:_SHOWN_CHARACTERS].encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
    return text[:_SHOWN_CHARACTERS]


def _kind(given: object) -> str:
    return _KINDS.get(type(given), "null")
