"""Validation of IDNOs, the numbers of Moldovan companies."""

from typing import Annotated

from pydantic import AfterValidator
from stdnum.exceptions import ValidationError
from stdnum.md import idno as stdnum_idno

IDNO_LENGTH = 13
_DIGITS = "0123456789"
_SHOWN_CHARACTERS = 40


class InvalidIdno(ValueError):
    """The text is not a valid IDNO. The message names the text and the problem."""


def parse_idno(text: str) -> str:
    """Return the IDNO in `text`, without surrounding white space.

    An IDNO has 13 ASCII digits. The last one is a check digit: the sum modulo 10 with the repeated weights 7, 3, 1
    (python-stdnum's `stdnum.md.idno`). Raises InvalidIdno with the reason.
    """
    stripped = text.strip()
    if stripped.strip(_DIGITS):
        raise InvalidIdno(
            f"{_shown(stripped)} has characters other than the digits 0 to 9; an IDNO has {IDNO_LENGTH} digits"
        )
    if len(stripped) != IDNO_LENGTH:
        raise InvalidIdno(f"{_shown(stripped)} has {len(stripped)} digits; an IDNO has {IDNO_LENGTH}")
    try:
        return str(stdnum_idno.validate(stripped))
    except ValidationError:
        expected = stdnum_idno.calc_check_digit(stripped[:-1])
        raise InvalidIdno(
            f"{_shown(stripped)} fails the check digit: its last digit is {stripped[-1]}, expected {expected}"
        ) from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


Idno = Annotated[str, AfterValidator(parse_idno)]
