"""The one place that decides what an IDNO is."""

import re
from typing import Annotated

from pydantic import AfterValidator
from stdnum.exceptions import ValidationError
from stdnum.md import idno as stdnum_idno

IDNO_LENGTH = 13
_ASCII_DIGITS = re.compile(r"[0-9]{13}", re.ASCII)
_SHOWN_CHARACTERS = 40


class InvalidIdno(ValueError):
    """The text is no IDNO; the message names it and says what is allowed."""


def parse_idno(text: str) -> str:
    """Return the IDNO in `text`, without the spaces around it.

    An IDNO is 13 ASCII digits, the last a check digit (weights 7, 3, 1 repeated, sum modulo 10;
    python-stdnum's `stdnum.md.idno`). Raises InvalidIdno with the reason.
    """
    stripped = text.strip()
    if not _ASCII_DIGITS.fullmatch(stripped):
        raise InvalidIdno(f"{_shown(stripped)} is no IDNO: it has to be {IDNO_LENGTH} digits from 0 to 9")
    try:
        return str(stdnum_idno.validate(stripped))
    except ValidationError:
        expected = stdnum_idno.calc_check_digit(stripped[:-1])
        raise InvalidIdno(
            f"{_shown(stripped)} is no IDNO: its check digit is {stripped[-1]}, it should be {expected}"
        ) from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


Idno = Annotated[str, AfterValidator(parse_idno)]
