"""The dots that lead from a label to its value."""

import re

from pipeline.transform.vocabulary.labels import field_of

LEADER = re.compile(r"(?:\. ?){4,}|(?:… ?){2,}|_{4,}|(?:· ?){4,}")
"""The dots that lead from a label to its value ("IDNO ........ 1020999000019"); they are read as a colon."""


def without_leader(text: str, *, is_first: bool) -> str:
    """Return a text with a colon in place of the dots after a label; `is_first`: whether nothing precedes the text.

    "IDNO ........ 1020999000019" → "IDNO : 1020999000019"; "str. Pilda, 1...." is unchanged
    """
    # Few texts contain one of these characters, and looking for them is faster than the expression.
    has_dots = "." in text or "…" in text or "_" in text or "·" in text
    match = LEADER.search(text) if has_dots else None
    if match is None:
        return text
    before = text[: match.start()]
    is_after_label = (
        field_of(before) is not None and not before.rstrip().endswith(":") if before.strip() else not is_first
    )
    return f"{before}:{text[match.end() :]}" if is_after_label else text
