"""Makes texts from the web safe to print on a terminal."""

import unicodedata

_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""The Unicode categories that can control a terminal or reverse, hide or break the text around them."""


def printable(text: str) -> str:
    r"""Return a text with its control and format characters escaped.

    >>> printable("SRL\x1b[31m\n")
    'SRL\\x1b[31m\\n'
    """
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _ESCAPED
        else character
        for character in text
    )
