"""Parsing of HTML into BeautifulSoup tags, and an index of the whole page.

To save time, the parser leaves out what this package does not need: namespaces and lists of classes.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bs4 import BeautifulSoup
from bs4.builder._lxml import LXMLTreeBuilder
from bs4.element import AttributeDict, Tag

_PLACE = re.compile(
    r"(?:.*[-_])?(?:odd|even|first|last|alt|alternate|only|stripe|striped|zebra|nth|impar|par)"
    r"(?:[-_]*(?:row|child|item|col|line|cell|element|of-type))?"
    r"|(?:r|row|line|item|tr|li)[-_]?(?:\d{1,3}|[ab])|no-border"
    r"|(?:.*[-_])?(?:appointment|officer|person|people|party|founder|shareholder|owner|director|administrator|member|card"
    r"|entry|record|fondator|asociat|persoana|activity|chip|tile)[-_]{0,2}\d{1,3}"
    r"|(?:[a-z]+:)*(?:bg|border|divide|rounded)-.*|(?:is-)?(?:active|current|selected|highlight(?:ed)?)"
)
"""Classes for the place of an element among its siblings; they say nothing about what the element is. So do
classes for its shade."""
_MIN_SAMPLE, _UNIQUE_RATIO = 8, 0.8
"""When classes are taken for names instead of styles: if at least this many elements of a page have classes, and at
least this share of them has classes that no other element has."""

_PANEL_TOGGLES = frozenset({"tab", "pill", "collapse"})
"""Values of `data-bs-toggle` (Bootstrap) of elements that open a panel of the page."""


class _TreeBuilder(LXMLTreeBuilder):
    """A tree builder that skips BeautifulSoup's handling of namespaces, which HTML does not need."""

    def start(self, tag: Any, attrib: Any, nsmap: Any = None) -> None:
        """Open an element."""
        assert self.soup is not None
        self.soup.handle_starttag(tag, None, None, attrib)  # the tag copies the attributes

    def end(self, tag: Any) -> None:
        """Close an element."""
        assert self.soup is not None
        self.soup.handle_endtag(tag)


def parse_html(html: str) -> BeautifulSoup:
    """Parse HTML into a soup in which every attribute value is a string, `class` too."""
    builder = _TreeBuilder(multi_valued_attributes=None, attribute_dict_class=AttributeDict)
    return BeautifulSoup(html, builder=builder)


def first_tag(soup: BeautifulSoup, name: str) -> Tag | None:
    """Return the first element with a tag, as `soup.find` does, but without its filters, which are slow."""
    return next((tag for tag in soup.descendants if isinstance(tag, Tag) and tag.name == name), None)


@dataclass
class PageIndex:
    """Data about the whole page that `page_tree` needs before it builds the first node."""

    headings: list[Tag] = field(default_factory=list)
    headings_by_role: list[Tag] = field(default_factory=list)
    controlled_ids: set[str] = field(default_factory=set)
    """The ids of the panels that an element of the page can open, as in `aria-controls` attributes."""
    class_texts: list[str] = field(default_factory=list)

    def add(self, tag: Tag) -> None:
        """Add one element to the index."""
        attributes: Mapping[str, Any] = tag.attrs
        if tag.name == "h1":
            self.headings.append(tag)
        if not attributes:
            return
        if attributes.get("role") == "heading" and attributes.get("aria-level") == "1":
            self.headings_by_role.append(tag)
        if target := attributes.get("aria-controls"):
            self.controlled_ids.update(target.split())
        if attributes.get("data-bs-toggle", attributes.get("data-toggle")) in _PANEL_TOGGLES:
            targets = (attributes.get(name, "") for name in ("data-bs-target", "data-target", "href"))
            self.controlled_ids.update(target[1:] for target in targets if target.startswith("#"))
        if classes := attributes.get("class"):
            self.class_texts.append(classes)


def index_page(body: Tag) -> PageIndex:
    """Return the index of all elements in a page."""
    index = PageIndex()
    for element in body.descendants:
        if isinstance(element, Tag):
            index.add(element)
    return index


class StyleClasses:
    """The classes of a page that say how elements look.

    A class that several elements share is a style. A class that only one element has is a name. For example, in

        <p class="row x1">Statut: Activă</p>
        <p class="row x2">Adresa: str. Pilda, 1</p>

    the style of both paragraphs is "row". A class that says where an element stands among its siblings, or that only
    shades it, is no style either: "row odd" and "row even" are both "row".
    """

    def __init__(self, classes: list[str]) -> None:
        """Count the uses of each class; `classes` holds the `class` attribute of every element that has one."""
        element_counts = Counter(classes)
        self._uses: Counter[str] = Counter()
        for text, count in element_counts.items():
            for name in set(_without_places(text)):
                self._uses[name] += count
        unique_count = sum(count for text, count in element_counts.items() if not self._shared_part(text))
        self._name_single_elements = len(classes) >= _MIN_SAMPLE and unique_count >= _UNIQUE_RATIO * len(
            classes
        )
        self._styles: dict[str, str] = {"": ""}

    def style_of(self, classes: str) -> str:
        """Return the style that a `class` attribute describes: those of its classes that other elements have too.

        If no class is shared, return the whole attribute; on a page where nearly all classes are names, return "".
        """
        if classes not in self._styles:
            plain = " ".join(_without_places(classes))
            fallback = "" if self._name_single_elements else plain
            self._styles[classes] = self._shared_part(classes) or fallback
        return self._styles[classes]

    def _shared_part(self, classes: str) -> str:
        return " ".join(name for name in _without_places(classes) if self._uses[name] > 1)


def _without_places(classes: str) -> list[str]:
    """Return the names in a `class` attribute without those for the place: "row odd last" → ["row"]."""
    return [name for name in classes.split() if not _is_place(name)]


@lru_cache(maxsize=4096)  # the pages of a site share their classes
def _is_place(name: str) -> bool:
    return _PLACE.fullmatch(name.lower()) is not None
