"""A rendered page as a tree of what a visitor sees: scripts, icons, buttons and the site's own frame left out."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from bs4.element import NavigableString, PreformattedString, Tag

from pipeline.transform.html.parser import Looks, Survey, parse_html, survey
from pipeline.transform.source_text import collapse, words

INLINE_TAGS = frozenset(
    words("a|abbr|b|bdi|bdo|cite|code|data|em|font|i|mark|q|s|small|span|strong|sub|sup|time|u|wbr")
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
TEXT = ""
"""The tag of a node that is text."""

_INVISIBLE_TAGS = frozenset(
    words(
        "script|style|template|noscript|svg|head|iframe|select|textarea|dialog|img|input|object|audio|video"
    )
)
_FRAME_TAGS = frozenset({"nav", "footer", "aside", "header"})
_FRAME_ROLES = frozenset(words("navigation|contentinfo|banner|complementary|search|dialog|alertdialog"))
_PANEL_ROLES = frozenset({"tabpanel", "region"})
_NO_ATTRIBUTES: dict[str, str] = {}
_DEEPEST = 250
"""How deep elements are looked into; no page that people made goes further, and Python's stack ends."""
_ICON_WORD = re.compile(r"[a-z]+(?:_[a-z0-9]+)*|\W*")
_HELP_MARKS = frozenset({"?", "[?]", "(?)", "i", "(i)", "[i]", "ⓘ", "ℹ", "ℹ️", "🛈", "❓", "❔"})
_COLONS = frozenset({":", "："})
_IDNO = re.compile(r"(?<![0-9])[0-9]{13}(?![0-9])")


@dataclass(slots=True, eq=False)
class Node:
    """An element, or a text (its `tag` is TEXT), with the text that it shows.

    `start` and `end` number the nodes of the page in order, so that what lies between them is inside.
    """

    tag: str
    parent: "Node | None"
    start: int
    attributes: dict[str, str]
    look: str
    page: list["Node"]
    """All nodes of the page, in order: the one that `start` numbers stands before it."""
    children: list["Node"] = field(default_factory=list)
    raw: str = ""
    text: str = ""
    end: int = 0
    is_block: bool = False

    @property
    def shape(self) -> tuple[str, str]:
        """What makes siblings of one kind look alike: the tag and the classes, whatever they are."""
        return self.tag, self.look

    @property
    def is_inline(self) -> bool:
        """Tell whether the node stands in a line of text: no block, and none inside (a card may be one link)."""
        return not self.is_block

    def holds(self, other: "Node") -> bool:
        """Tell whether `other` is this node or inside it."""
        return self.start <= other.start <= self.end

    def ancestors(self) -> Iterator["Node"]:
        """Yield the elements around the node, the nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def within(self, *tags: str) -> "Node | None":
        """Return the nearest element around the node that has one of the `tags`."""
        return next((node for node in self.ancestors() if node.tag in tags), None)

    def descendants(self) -> Iterator["Node"]:
        """Yield the nodes inside, in the order of the document."""
        yield from self.page[self.start : self.end]

    def leaves(self) -> Iterator["Node"]:
        """Yield the texts of the node (itself, if it is one), in order."""
        for node in self.page[self.start - 1 : self.end]:
            if node.tag == TEXT:
                yield node

    def after(self) -> list["Node"]:
        """Return the siblings that follow."""
        if self.parent is None:
            return []
        return self.parent.children[bisect_right(self.parent.children, self.start, key=_start_of) :]

    def before(self) -> list["Node"]:
        """Return the siblings that go before, the nearest first."""
        if self.parent is None:
            return []
        return self.parent.children[: bisect_left(self.parent.children, self.start, key=_start_of)][::-1]


def _start_of(node: Node) -> int:
    return node.start


@dataclass(frozen=True)
class PageTree:
    """A page without its frame: `root` holds what is left, `heading` its first level-one heading."""

    root: Node
    heading: Node | None
    title: str


def read_page(html: str) -> PageTree:
    """Parse rendered HTML and leave out what no visitor reads as the page's own: scripts, menus, footers."""
    soup = parse_html(html)
    title = collapse(soup.title.get_text()) if soup.title else ""
    body = soup.body or soup
    found = survey(body)
    heading = _heading(found, title)
    builder = _Builder(heading, found.controlled, Looks(found.classes))
    root = builder.build(body, None)
    return PageTree(root=root, heading=builder.heading, title=title)


def visible_text(node: Node) -> str:
    """Return the text of a node as it is shown: blocks and line breaks part words, inline tags do not."""
    return node.text


def text_of(nodes: Iterable[Node], left_out: Sequence[Node] = ()) -> str:
    """Return the text of neighbouring nodes, without some of the nodes inside them."""
    return collapse("".join(piece for node in nodes for piece in _raw_without(node, left_out)))


def _raw_without(node: Node, left_out: Sequence[Node]) -> Iterator[str]:
    if any(other is node for other in left_out):
        yield " "
    elif not any(node.holds(other) for other in left_out):
        yield node.raw if node.is_inline else f" {node.raw} "
    else:
        for child in node.children:
            yield from _raw_without(child, left_out)
            yield " "


def lines_in(nodes: Iterable[Node]) -> list[list[Node]]:
    """Return the lines that neighbouring nodes make, parted by line breaks, without wrappers around parts of lines."""
    lines: list[list[Node]] = [[]]
    for node in _flat(nodes):
        if node.tag == "br":
            lines.append([])
        else:
            lines[-1].append(node)
    return lines


def _flat(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes, without the wrappers around line breaks and parts of lines."""
    for node in nodes:
        if (
            node.tag not in (TEXT, "br")
            and len(node.children) > 1
            and any(n.tag == "br" for n in node.descendants())
        ):
            yield from _flat(node.children)
        else:
            yield node


class _Builder:
    """Makes nodes out of BeautifulSoup's tags, and remembers the one of the heading."""

    def __init__(self, heading: Tag | None, controlled: set[str], looks: Looks) -> None:
        self._heading_tag = heading
        self._controlled = controlled
        self._around_heading = {id(tag) for tag in heading.parents} if heading else set()
        self._looks = looks
        self._nodes: list[Node] = []
        self.heading: Node | None = None

    def build(self, tag: Tag, parent: Node | None, depth: int = 0) -> Node:
        """Return the node of `tag` with all that is visible inside."""
        node = self._node(tag.name, parent, cast("dict[str, str]", tag.attrs))  # as `parse_html` makes them
        if tag is self._heading_tag:
            self.heading = node
        pieces: list[str] = []
        for child in tag.children:
            if isinstance(child, Tag):
                alone = _shown_alone(child)
                if depth >= _DEEPEST or self._is_left_out(child, alone):
                    continue
                if alone in _COLONS:
                    self._add_text(node, ":", pieces)
                else:
                    self._add_element(node, child, pieces, depth + 1)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                self._add_text(node, str(child).replace("\x00", ""), pieces)
        node.is_block = tag.name not in INLINE_TAGS or any(child.is_block for child in node.children)
        node.raw = "".join(pieces)
        # Beside an only child there is nothing but white space.
        node.text = node.children[0].text if len(node.children) == 1 else collapse(node.raw)
        node.end = len(self._nodes)
        return node

    def _node(self, tag: str, parent: Node | None, attributes: dict[str, str]) -> Node:
        look = self._looks.of(attributes.get("class", "")) if attributes else ""
        node = Node(tag, parent, len(self._nodes) + 1, attributes, look, self._nodes)
        self._nodes.append(node)
        return node

    def _add_element(self, node: Node, tag: Tag, pieces: list[str], depth: int) -> None:
        child = self.build(tag, node, depth)
        node.children.append(child)
        apart = "" if child.is_inline else " "
        pieces.append(f"{apart}{child.raw}{apart}")

    def _add_text(self, node: Node, text: str, pieces: list[str]) -> None:
        """A text goes on where only a comment of the framework stands between."""
        pieces.append(text)
        if not text or text.isspace():
            return
        last = node.children[-1] if node.children else None
        if last is None or last.tag != TEXT:
            last = self._node(TEXT, node, _NO_ATTRIBUTES)
            last.end = last.start
            node.children.append(last)
        last.raw += text
        last.text = collapse(last.raw)

    def _is_left_out(self, tag: Tag, alone: str | None) -> bool:
        if tag.name in _INVISIBLE_TAGS or _is_icon(tag) or (tag.name == "button" and not _opens(tag)):
            return True
        if alone in _HELP_MARKS or tag.get("role") == "tooltip":
            return True
        if _is_hidden(tag):
            return tag.get("role") not in _PANEL_ROLES and tag.get("id") not in self._controlled
        return _is_frame(tag) and id(tag) not in self._around_heading and not self._is_of_content(tag)

    def _is_of_content(self, tag: Tag) -> bool:
        """Not the page's frame: a card's head, a list that only calls itself navigation, a panel of facts."""
        after_heading = self.heading is not None
        if tag.name == "header" or (tag.name not in _FRAME_TAGS and tag.get("role") == "navigation"):
            return after_heading
        return tag.name == "aside" and len(set(_IDNO.findall(str(tag)))) == 1


def _is_icon(tag: Tag) -> bool:
    """Icon fonts write a word that is shown as a picture."""
    if "icon" in tag.name:
        return True
    if tag.name != "i" and tag.get("aria-hidden") != "true":
        return False
    return tag.find(True) is None and bool(_ICON_WORD.fullmatch(tag.get_text().strip()))


def _shown_alone(tag: Tag) -> str | None:
    """What an element shows that holds no other element."""
    texts: list[str] = []
    for child in tag.contents:
        if isinstance(child, Tag):
            return None
        if not isinstance(child, PreformattedString):
            texts.append(str(child))
    return "".join(texts).strip()


def _opens(button: Tag) -> bool:
    """A button that folds a section open is the section's heading; a tab stands apart from its panel."""
    if button.get("role") == "tab":
        return False
    return button.has_attr("aria-expanded") or button.find_parent([*HEADINGS, "summary"]) is not None


def _is_hidden(tag: Tag) -> bool:
    if not tag.attrs or "hidden" in tag.attrs:
        return bool(tag.attrs)
    style = str(tag.attrs.get("style", "")).replace(" ", "").lower()
    return "display:none" in style or "visibility:hidden" in style


def _is_frame(tag: Tag) -> bool:
    return tag.name in _FRAME_TAGS or str(tag.attrs.get("role", "")).lower() in _FRAME_ROLES


def _heading(found: Survey, title: str) -> Tag | None:
    """The h1 with text that is likeliest the company's: inside `main` before others, one in a frame last."""
    headings = found.headings or found.headings_by_role
    shown = [
        tag for tag in headings if collapse(tag.get_text()) and not any(map(_is_hidden, (tag, *tag.parents)))
    ]
    return (
        min(shown, key=lambda tag: _heading_rank(tag, title)) if len(shown) > 1 else next(iter(shown), None)
    )


def _heading_rank(heading: Tag, title: str) -> tuple[int, bool, bool]:
    in_main = heading.find_parent(["main", "article"]) is not None
    in_frame = heading.find_parent(_is_frame) is not None
    is_link = heading.find_parent("a") is not None or heading.find("a", href="/") is not None
    return (
        0 if in_main else 2 if in_frame else 1,
        is_link,
        not title.startswith(collapse(heading.get_text())[:20]),
    )
