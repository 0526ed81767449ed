"""Division of a page's heading into the company's name and what stands beside it: badges and remarks.

A heading is one of these, and each part of it is accounted for:

    <h1>PLOPENA AGRO SRL<span class="badge">TVA</span></h1>      → name, badge
    <h1><span>ACTIV</span> <span>MED</span> <span>SRL</span></h1> → name in pieces
    <h1>PLOPENA AGRO SRL (în lichidare)</h1>                       → name, state
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from pipeline.transform.html.idno_texts import idno_in, stated_idno
from pipeline.transform.html.page_tree import TEXT, Node, text_of
from pipeline.transform.source_text import comparison_key, fold, text_or_none
from pipeline.transform.vocabulary.names import (
    core_of_name,
    ends_with_legal_form,
    is_badge,
    is_description,
    is_former_name,
    is_state,
)
from pipeline.transform.vocabulary.statuses import status_of

_HIGHLIGHTS = frozenset({"mark", "b", "strong", "em", "i", "u", "wbr", "a"})
"""Tags that emphasize a part of a name, such as what a visitor searched for."""
_BADGE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:badge|chip|tag|label|pill|status|state|verified|flag|hint)", re.IGNORECASE
)
_TITLE_SEPARATOR = re.compile(r"(\s+[|–—·•-]\s+|:\s+)")
_PARENTHESES = re.compile(r"([^()]*\S)\s*\(([^()]+)\)")
_LAST_PART = re.compile(r"(.*?\S)(\s*[·•|]\s*|\s+[–—-]\s+|\s*,\s+|:\s+)([^·•|–—,:]+)")
_WITH_IDNO = re.compile(r"(.*?)[\s,(:№#–—-]*\b[0-9]{13}\)?")
_BULLETS = "·•|"
_MAX_PARTS = 5
_MAX_TITLE = 300


@dataclass(frozen=True)
class HeadingParts:
    """A heading in its parts.

    Attributes:
        name: The heading without the other parts; None if it is uncertain which part is the name.
        badges: Texts beside the name.
        states: Texts beside the name that say that the company is not simply active.
        remarks: Other texts beside the name, such as a former name.
    """

    name: str | None
    badges: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def divide_heading(heading: Node, title: str, known_name: str | None) -> HeadingParts:
    """Divide a heading into the name and what stands beside it.

    Args:
        heading: The heading.
        title: The title of the page. It usually starts with the name, so it tells where the name ends.
        known_name: The name that the JSON states for the company, if there is one.
    """
    pieces = list(_pieces(heading))
    witnesses = [*title_starts(title), *([known_name] if known_name else [])]
    excluded = _excluded_by_witness(heading, pieces, witnesses)
    if excluded is None:
        excluded = _excluded_by_look(pieces)
    if excluded is None:
        return HeadingParts(None)
    text = text_of([heading], excluded) if excluded else heading.text
    beside = [piece.text for piece in excluded]
    name, parts = _without_last_parts(text, witnesses)
    beside += parts
    states = tuple(text for text in beside if is_state(text))
    badges = tuple(text for text in beside if is_badge(text) and text not in states)
    remarks = tuple(text for text in beside if text not in states and text not in badges)
    return HeadingParts(text_or_none(name), (*badges, *states), states, remarks)


def _pieces(heading: Node) -> Iterator[Node]:
    """Yield the texts and elements that a heading consists of.

        <h1><span>PLOPENA AGRO<small>SRL</small></span></h1>

    → the text and `small`
    """
    node = heading
    while len(node.children) == 1 and node.children[0].tag != TEXT:
        node = node.children[0]
    yield from (child for child in node.children if child.text)


def title_starts(title: str) -> list[str]:
    """Return the parts of a title that may be the company's name: its beginnings, up to each separator.

    "ALFA – FRUCT SRL | OpenMoney" → "ALFA", "ALFA – FRUCT SRL" and the whole title
    """
    if not title:
        return []
    parts = _TITLE_SEPARATOR.split(title[:_MAX_TITLE], maxsplit=_MAX_PARTS)
    return list(accumulate(parts))[::2]


def _excluded_by_witness(
    heading: Node, pieces: Sequence[Node], witnesses: Sequence[str]
) -> list[Node] | None:
    """Return the pieces beside the name that a witness (title, JSON) states; None if no witness states a part of it."""
    candidates = list(_candidates(pieces))
    texts = [text_of([heading], excluded) for excluded in candidates]
    for key in (comparison_key, core_of_name):
        known = {key(witness) for witness in witnesses} - {""}
        for excluded, text in zip(candidates, texts, strict=True):
            if key(text) in known:
                return excluded
    return None


def _candidates(pieces: Sequence[Node]) -> Iterator[list[Node]]:
    """Yield the groups of pieces that may stand beside the name: at the end and at the start, the smallest first."""
    count = min(len(pieces), _MAX_PARTS)
    for total in range(count):
        for first in range(total + 1):
            beside = [*pieces[:first], *pieces[len(pieces) - (total - first) :]]
            if all(piece.tag != TEXT for piece in beside):
                yield beside


def _excluded_by_look(pieces: Sequence[Node]) -> list[Node] | None:
    """Return the pieces that look like badges; None if it is uncertain whether the first piece is one."""
    name = list(pieces)
    excluded: list[Node] = []
    while len(name) > 1 and _is_badge_after(name[-1], name[:-1]):
        excluded.append(name.pop())
    while len(name) > 1 and (name[0].tag != TEXT):
        answer = _is_badge_before(name[0], name[1:])
        if answer is None:
            return None
        if not answer:
            break
        excluded.append(name.pop(0))
    return excluded


def _is_badge_after(piece: Node, name: Sequence[Node]) -> bool:
    """Tell whether the last piece of a heading is a badge: it is known or follows a legal form, and differs in look.

    <h1>PLOPENA AGRO <span>Activă</span></h1>     → True
    <h1><span>PLOPENA</span> <span>ACTIV</span></h1> → False
    """
    if piece.tag == TEXT:
        return False
    before = text_of(name)
    is_known = (
        is_badge(piece.text) or is_state(piece.text) or _states_idno(piece.text) or is_former_name(piece.text)
    )
    differs_in_case = _is_in_capitals(before) and any(letter.islower() for letter in piece.text)
    if piece.tag in _HIGHLIGHTS or any(other.shape == piece.shape for other in name):
        return is_known and (differs_in_case or ends_with_legal_form(before) or _states_idno(piece.text))
    if is_known or is_description(piece.text):
        return True
    has_look = _BADGE_CLASS.search(piece.attributes.get("class", "")) is not None
    return has_look or ends_with_legal_form(before) or differs_in_case


def _is_badge_before(piece: Node, name: Sequence[Node]) -> bool | None:
    """Tell whether the first piece of a heading is a badge. Return None if it is a status that may belong to the name.

    <h1><span class="badge">Activă</span> PLOPENA AGRO</h1> → True
    <h1><mark>Activ</mark> Impex SRL</h1>                   → False
    <h1><span>Activ</span> Impex SRL</h1>                   → None
    """
    if any(other.shape == piece.shape for other in name):
        return False
    has_look = _BADGE_CLASS.search(piece.attributes.get("class", "")) is not None
    is_known = is_badge(piece.text) or is_state(piece.text) or _states_idno(piece.text)
    differs_in_case = _is_in_capitals(text_of(name)) and any(letter.islower() for letter in piece.text)
    if has_look or (is_known and differs_in_case):
        return True
    if piece.tag in _HIGHLIGHTS or status_of(piece.text) is None:
        return False
    return None


def _is_in_capitals(text: str) -> bool:
    return text.upper() == text and any(letter.isalpha() for letter in text)


def _states_idno(text: str) -> bool:
    """Tell whether a text is an IDNO, alone or after its label."""
    return stated_idno(text.strip(" ()")) is not None


def _without_last_parts(text: str, witnesses: Sequence[str]) -> tuple[str, list[str]]:
    """Return a name without known texts after it in parentheses or after a separator, and these texts.

    "PLOPENA AGRO SRL (în lichidare) · IDNO 1020999000019" → "PLOPENA AGRO SRL", ["IDNO 1020999000019", "în lichidare"]
    """
    known = {fold(witness) for witness in witnesses}
    parts: list[str] = []
    while fold(text) not in known and len(parts) < _MAX_PARTS:
        divided = _without_parentheses(text) or _without_last_part(text) or _without_idno(text)
        if divided is None:
            break
        text, part = divided
        parts.append(part)
    return text, parts


def _without_parentheses(text: str) -> tuple[str, str] | None:
    match = _PARENTHESES.fullmatch(text)
    if match is None:
        return None
    is_known = is_state(match[2]) or is_former_name(match[2]) or _states_idno(match[2]) or status_of(match[2])
    return (match[1], match[2]) if is_known else None


def _without_last_part(text: str) -> tuple[str, str] | None:
    match = _LAST_PART.fullmatch(text)
    if match is None:
        return None
    name, separator, part = match.groups()
    is_known = is_state(part) or is_former_name(part) or _states_idno(part)
    if separator.strip() != ",":
        is_known = is_known or is_description(part) or status_of(part) is not None
    if separator.strip() in _BULLETS:
        is_known = is_known or is_badge(part)
    return (name, part) if is_known else None


def _without_idno(text: str) -> tuple[str, str] | None:
    """Divide "PLOPENA AGRO, IDNO 1020999000019" and "PLOPENA AGRO (1020999000019)" before the number and its label."""
    match = _WITH_IDNO.fullmatch(text)
    if match is None or not match[1] or idno_in(text.strip(" ()")[-13:]) is None:
        return None
    found = match[1].split()
    for count in (2, 1, 0):
        name, label = " ".join(found[: len(found) - count]), " ".join(found[len(found) - count :])
        part = f"{label} {text.strip(' ()')[-13:]}".strip(" ,(")
        if name and _states_idno(part):
            return name.rstrip(" ,(–—-"), part
    return None
