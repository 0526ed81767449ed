"""The grammar of addresses: pieces between commas, each a place, a street, a number or a part of a building."""

import re

from pipeline.transform.date_text import parse_date
from pipeline.transform.grammar import Parsed, unread
from pipeline.transform.vocabulary.address_words import REMARK, STREET, UNIT, is_place, names_place, says_more
from pipeline.transform.vocabulary.placeholders import placeholder_reason, says_no_value
from pipeline.transform.vocabulary.statuses import status_of
from pipeline.transform.vocabulary.terms import legal_form_of
from warehouse.folding import collapse, fold

_LONGEST = 300
_ENDS_TRUNCATED = re.compile(r"(?:…|\.\.\.?|\.\s\.\s\.|\[…\]|\[\.\.\.\])[)\]]?$")
_FOREIGN_CHARACTERS = re.compile(r"[<>{}\[\]@$|=*_~^%!?\\\u0000]|://|www\.")
_NO_ADDRESS_NUMBERS = re.compile(
    r"\d{7,}|\d{1,2}\.\d{1,2}\.\d{4}|\+\s?\d{2,3}[\s(]|\(?0\d{2}\)?[\s-]?\d{2}[\s-]?\d{2}[\s-]?\d{2}|(?<!\d)\d{2}:\d{2}"
)
"""Numbers that no address contains: identification numbers, dates, telephone numbers, times."""
_REMARK = re.compile(r"\s*[(](.{1,60})[)]$")
_POSTAL_CODE = re.compile(r"(?:(?:md|мд|ro|ua)[\s-]{0,2})?\d{4,6}")
_NUMBER = re.compile(r"(?:(?:nr|no|№|n|д|дом)\.?\s?)?\d{1,4}(?:[\s/.-]?\w{1,4}){0,3}")
_NAME = re.compile(r"[^\W_](?:[\w'’`.„”“\"«»&/()№#+-]|\s(?!\s)){0,90}")
_WORDS_IN_PIECE = 9


def read_address(text: str) -> Parsed[str]:
    """Read an address; the value is the text as written, without a known remark in parentheses at its end.

    "MD-2001, mun. Chișinău, str. Pilda, 12, ap. 3" → the same
    "str. Pilda, 1 (sediul juridic)" → "str. Pilda, 1" with the remark "sediul juridic"
    "MD-5601, or. Rîșcani, str. Alexei Mate…", "Lorem ipsum", "0", "Adresa nu este publică" → unread
    """
    written = collapse(text)
    if reason := placeholder_reason(written):
        return unread(reason)
    if len(written) > _LONGEST:
        return unread("its text is longer than an address")
    if _ENDS_TRUNCATED.search(written):
        return unread("it is truncated")
    remarks: tuple[str, ...] = ()
    if (match := _REMARK.search(written)) and REMARK.fullmatch(fold(match[1])):
        written, remarks = written[: match.start()], (match[1],)
    reason = _why_no_address(fold(written), written)
    return Parsed(written, remarks) if reason is None else unread(reason)


def is_address_part(text: str) -> bool:
    """Tell whether a text can be one part of an address: a town, a street, a number."""
    return _FOREIGN_CHARACTERS.search(text) is None and (len(text) < 2 or placeholder_reason(text) is None)


def _why_no_address(folded: str, written: str) -> str | None:
    """Return why a text is no address; None if each of its pieces can be a part of one, and one certainly is."""
    if _FOREIGN_CHARACTERS.search(folded):
        return "it has characters that no address has"
    if parse_date(folded) is not None or legal_form_of(folded) or status_of(folded):
        return "it is the value of another field"
    if _NO_ADDRESS_NUMBERS.search(folded):
        return "it has a number that no address has"
    pieces = [piece.strip() for piece in re.split(r"[,;]", folded) if piece.strip()]
    if any(not _is_piece(piece) for piece in pieces):
        return "not all of its parts are parts of an address"
    if len(STREET.findall(folded)) > 1:
        return "it has more than one address"
    if not any(map(_is_certain, pieces)) and not _is_street_with_number(pieces, written):
        return "it names neither a place nor a street"
    return None


def _is_piece(piece: str) -> bool:
    """Tell whether a folded piece can be a part of an address."""
    unit, colon, rest = piece.partition(":")
    if colon and UNIT.fullmatch(unit):
        piece = f"{unit} {rest.strip()}"  # "sector: Centru"
    if _POSTAL_CODE.fullmatch(piece) or _NUMBER.fullmatch(piece):
        return True
    return (
        _NAME.fullmatch(piece) is not None
        and len(piece.split()) <= _WORDS_IN_PIECE
        and not says_more(piece)
        and not says_no_value(piece)
        and (placeholder_reason(piece) is None or len(piece) == 1)
    )


def _is_certain(piece: str) -> bool:
    """Tell whether a folded piece is certainly a part of an address: it has a word for one, or names a known place."""
    if is_place(piece) or re.fullmatch(r"(?:md|мд)[\s-]{0,2}\d{4}", piece):
        return True
    unit = UNIT.search(piece)
    rest = piece[: unit.start()] + piece[unit.end() :] if unit else ""
    return any(map(str.isalnum, rest)) or names_place(piece)


def _is_street_with_number(pieces: list[str], written: str) -> bool:
    """Tell whether an address is a name in capital letters and a number: "Pilda, 12"."""
    numbers = [piece for piece in pieces[1:] if _NUMBER.fullmatch(piece)]
    return bool(numbers) and len(pieces[0].split()) <= 4 and written[:1].isupper()
