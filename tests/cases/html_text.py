"""The spans of an HTML document that can be replaced; everything between them stays byte for byte the same."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from html import unescape

_PIECE = re.compile(
    r"""<!--.*?-->
      | <(?P<raw>script|style|template|noscript)\b(?:[^>"']|"[^"]*"|'[^']*')*>(?P<inside>.*?)</(?P=raw)\s*>
      | <[a-zA-Z/!?](?:[^>"']|"[^"]*"|'[^']*')*>""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"""\s(?P<name>[^\s"'<>/=]+)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+))"""
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_TECHNICAL = re.compile(
    r"class|style|role|type|rel|lang|dir|charset|http-equiv|target|method|media|tabindex|width|height"
    r"|aria-(?:expanded|hidden|level)|_ng.*|ng-.*|d|fill|viewbox|colspan|rowspan|scope"
    r"|integrity|crossorigin|as|loading|hidden|open",
    re.IGNORECASE,
)
"""Attributes whose values belong to the markup."""
_DATA = ("script", "template", "noscript")


class TextPart(Enum):
    """The kinds of spans."""

    TEXT = "text"
    ATTRIBUTE = "attribute"
    TECHNICAL = "technical"
    DATA = "data"
    """The content of a script or comment."""


@dataclass(frozen=True)
class TextSpan:
    """A span of HTML that can contain data of the company."""

    part: TextPart
    start: int
    end: int


def spans_in(html: str) -> Iterator[TextSpan]:
    """Yield the texts, attributes, comments and script contents of HTML, in order."""
    last = 0
    for piece in _PIECE.finditer(html):
        yield from _span(TextPart.TEXT, last, piece.start())
        last = piece.end()
        if piece[0].startswith("<!--"):
            yield from _span(TextPart.DATA, piece.start() + 4, piece.end() - 3)
            continue
        opening_end = piece.start("inside") if piece["raw"] else piece.end()
        yield from _attributes(html, piece.start(), opening_end)
        if piece["raw"]:
            part = TextPart.DATA if piece["raw"].lower() in _DATA else TextPart.TECHNICAL
            yield from _span(part, piece.start("inside"), piece.end("inside"))
    yield from _span(TextPart.TEXT, last, len(html))


def _attributes(html: str, start: int, end: int) -> Iterator[TextSpan]:
    for attribute in _ATTRIBUTE.finditer(html, start, end):
        group = next(name for name in ("double", "single", "bare") if attribute[name] is not None)
        part = TextPart.TECHNICAL if _TECHNICAL.fullmatch(attribute["name"]) else TextPart.ATTRIBUTE
        yield from _span(part, attribute.start(group), attribute.end(group))


def _span(part: TextPart, start: int, end: int) -> Iterator[TextSpan]:
    if start < end:
        yield TextSpan(part, start, end)


def decode_letters(text: str) -> str:
    """Decode only those entities of HTML text that stand for letters, digits or @."""

    def plain(entity: re.Match[str]) -> str:
        decoded = unescape(entity[0])
        return decoded if decoded.isalnum() or decoded == "@" else entity[0]

    return _ENTITY.sub(plain, text) if "&" in text else text
