"""HTML to BeautifulSoup's tags, without what costs time and is not needed here: namespaces, lists of classes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bs4 import BeautifulSoup
from bs4.builder._lxml import LXMLTreeBuilder
from bs4.element import AttributeDict, Tag

_FEW, _MOST = 8, 0.8
"""If most of so many elements bear classes that no other one bears, classes are names there, and tell no looks."""


class _TreeBuilder(LXMLTreeBuilder):
    """lxml's events as they come: in HTML neither tags nor attributes have namespaces."""

    def start(self, tag: Any, attrib: Any, nsmap: Any = None) -> None:
        """Begin an element."""
        assert self.soup is not None
        self.soup.handle_starttag(tag, None, None, AttributeDict(attrib))

    def end(self, tag: Any) -> None:
        """End an element."""
        assert self.soup is not None
        self.soup.endData()
        self.soup.handle_endtag(tag)


def parse_html(html: str) -> BeautifulSoup:
    """Parse HTML; attributes are texts, `class` too."""
    builder = _TreeBuilder(multi_valued_attributes=None, attribute_dict_class=AttributeDict)
    return BeautifulSoup(html, builder=builder)


@dataclass
class Survey:
    """What has to be known of a whole page before its elements are looked at one by one."""

    headings: list[Tag] = field(default_factory=list)
    headings_by_role: list[Tag] = field(default_factory=list)
    controlled: set[str] = field(default_factory=set)
    """The ids of what something on the page opens."""
    classes: list[str] = field(default_factory=list)

    def take(self, tag: Tag) -> None:
        """Look at one element."""
        attributes: Mapping[str, Any] = tag.attrs
        if tag.name == "h1":
            self.headings.append(tag)
        if not attributes:
            return
        if attributes.get("role") == "heading" and attributes.get("aria-level") == "1":
            self.headings_by_role.append(tag)
        if target := attributes.get("aria-controls"):
            self.controlled.add(target)
        if classes := attributes.get("class"):
            self.classes.append(classes)


def survey(body: Tag) -> Survey:
    """Look over all elements of a page."""
    found = Survey()
    for element in body.descendants:
        if isinstance(element, Tag):
            found.take(element)
    return found


class Looks:
    """What the classes of a page's elements say of their looks: what an element shares with others."""

    def __init__(self, classes: list[str]) -> None:
        """`classes` are those of all elements."""
        times = Counter(classes)
        self._counts: Counter[str] = Counter()
        for text, count in times.items():
            for name in set(text.split()):
                self._counts[name] += count
        alone = sum(count for text, count in times.items() if not self._shared(text))
        self._are_names = len(classes) >= _FEW and alone >= _MOST * len(classes)
        self._known: dict[str, str] = {"": ""}

    def of(self, classes: str) -> str:
        """Return what elements with these classes look like."""
        if classes not in self._known:
            alone = "" if self._are_names else classes
            self._known[classes] = self._shared(classes) or alone
        return self._known[classes]

    def _shared(self, classes: str) -> str:
        return " ".join(name for name in classes.split() if self._counts[name] > 1)
