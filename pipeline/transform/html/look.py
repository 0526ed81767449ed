"""The look of a page: what a visitor sees and the markup alone does not say, recorded by the browser during the visit.

A stylesheet may hide an element, strike it out or separate texts that touch in the markup. The browser records such
elements by their number in document order (`pipeline/extract/read_page.js`). This module applies the record to the
untouched HTML: it leaves out what is hidden or struck, and notes the rest in attributes of the start tags.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from html import escape
from typing import Any

from pipeline.transform.source_text import words

VERSION = 1
MARKS, VALUE, BEFORE, AFTER = "registru-marks", "registru-value", "registru-before", "registru-after"
LABEL = "registru-label"
"""Attributes that `apply_look` adds to start tags; a page has no attributes of these names."""

# The names in group 1 are those of start tags, in group 2 those of end tags.
_TAG = re.compile(
    r'<(?:([a-zA-Z][^\s/>]*+)[^">]*+(?:"[^"]*+"[^">]*+)*+|/([a-zA-Z][^\s/>]*+)[^>]*+|[^a-zA-Z/][^>]*+)>'
)
_RAW_TEXT_TAGS = frozenset(
    {"script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
)
"""Elements whose content a browser writes as it is, without escapes; it contains no tags."""
_VOID_TAGS = frozenset(
    words(
        "area|base|basefont|bgsound|br|col|embed|frame|hr|img|input|keygen|link|meta|param|source|track|wbr"
    )
)


class Mark(IntEnum):
    """How an element looks. The numbers are those of `read_page.js`."""

    HIDDEN = 1
    STRUCK = 2
    BLOCK = 4
    """It stands on lines of its own, although its tag is inline."""
    INLINE = 8
    """It is part of a line, although its tag is a block."""
    RAISED = 16
    """It stands above or below the line, like a footnote mark."""
    MUTED = 32
    """Its own texts cannot be seen, but elements inside it can."""
    APART = 64
    """A gap separates it from its neighbours on the same line."""
    OPENABLE = 128
    """(With HIDDEN) It is a panel that a visitor can open by a tab or the header of an accordion."""


class LookDoesNotFit(ValueError):
    """A recorded look is not that of the page."""


@dataclass(frozen=True)
class _Look:
    """A recorded look; everything by the number of the element in document order."""

    elements: int
    tags: dict[int, str] = field(default_factory=dict)
    marks: dict[int, int] = field(default_factory=dict)
    texts: dict[int, dict[str, str]] = field(default_factory=dict)
    """The texts that the markup does not contain, by the attribute that holds them."""


def apply_look(html: str, look: str) -> str:
    """Return the HTML without what a visitor cannot see or sees struck out, and with the marks of the other elements.

        <p class="d-none">Statut: Lichidată</p><h1>ALFA <span class="badge">nou</span></h1>

    → `<h1>ALFA <span registru-marks="64" class="badge">nou</span></h1>`

    Args:
        html: The page as a browser writes it (`outerHTML`).
        look: The JSON document that the browser recorded with it.

    Raises:
        LookDoesNotFit: The document is malformed, or its elements are not those of the page.
    """
    return "".join(_pieces(html, _parse(look)))


def _parse(text: str) -> _Look:
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise LookDoesNotFit(f"the version of the look is {document['version']!r}")
        look = _Look(int(document["elements"]))
        for number, tag, bits in document["marks"]:
            look.marks[number] = int(bits)
            look.tags[number] = tag
        for number, tag, value in document.get("values", ()):
            _add_text(look, number, tag, VALUE, value)
        for key, attribute in (("before", BEFORE), ("after", AFTER)):
            for number, tag, value, is_attribute in document.get(key, ()):
                # A text that repeats an attribute, such as data-label, is the label of the content.
                _add_text(look, number, tag, LABEL if is_attribute else attribute, value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LookDoesNotFit(str(error)) from error
    return look


def _add_text(look: _Look, number: int, tag: Any, attribute: str, text: Any) -> None:
    look.tags[number] = tag
    look.texts.setdefault(number, {})[attribute] = str(text)


def _pieces(html: str, look: _Look) -> Iterator[str]:
    """Yield the parts of the HTML that stay, with the attributes of marked elements."""
    written = number = depth = 0
    left_out: int | None = None
    """The depth of the element that is being left out."""
    matched = set()
    for match, in_template in _tags(html):
        name = (match[1] or match[2]).lower()
        if match[2]:
            depth -= 1
            if left_out == depth:
                left_out, written = None, match.end()
            continue
        if not in_template:
            if number in look.tags and left_out is None:
                if name != look.tags[number]:
                    raise LookDoesNotFit(f"element {number} is {name!r}, not {look.tags[number]!r}")
                matched.add(number)
                bits = look.marks.get(number, 0)
                if bits & Mark.STRUCK or (bits & Mark.HIDDEN and not bits & Mark.OPENABLE):
                    yield html[written : match.start()]
                    # A struck text separates its neighbours, a hidden one does not.
                    yield " " if bits & Mark.STRUCK else ""
                    left_out, written = depth, match.end()
                else:
                    yield html[written : match.end(1)]
                    yield _attributes(bits, look.texts.get(number, {}))
                    written = match.end(1)
            number += 1
        if name not in _VOID_TAGS:
            depth += 1
        elif left_out == depth:
            left_out = None
    if number != look.elements or left_out is not None or matched != look.tags.keys():
        raise LookDoesNotFit(f"the page has {number} elements, not {look.elements}")
    yield html[written:]


def _attributes(bits: int, texts: dict[str, str]) -> str:
    marks = f' {MARKS}="{bits}"' if bits else ""
    return marks + "".join(f' {name}="{escape(text)}"' for name, text in texts.items())


def _tags(html: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Yield the start and end tags of HTML that a browser has written, and whether they are in a `template`."""
    position = templates = 0
    while (position := html.find("<", position)) >= 0:
        if html.startswith("<!--", position):
            position = html.find("-->", position + 4)
            if position < 0:
                return
            continue
        match = _TAG.match(html, position)
        if match is None:
            raise LookDoesNotFit(f"a tag at {position} has no end")
        position = match.end()
        if match[2] == "template":
            templates -= 1
        if match[1] or match[2]:
            yield match, templates > 0
        if match[1] == "template":
            templates += 1
        elif match[1] in _RAW_TEXT_TAGS:
            position = html.find(f"</{match[1]}", position)
            if position < 0:
                return
