"""A rendered page as a tree of what a visitor sees, without scripts, icons, buttons, menus and footers."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from bs4.element import NavigableString, PreformattedString, Tag

from pipeline.transform.html.form_fields import FORM_FIELDS, fixed_text
from pipeline.transform.html.leaders import LEADER, without_leader
from pipeline.transform.html.look import AFTER, BEFORE, LookDoesNotFit, Mark, apply_look
from pipeline.transform.html.page_heading import company_heading
from pipeline.transform.html.parser import StyleClasses, first_tag, index_page, parse_html
from pipeline.transform.html.past_columns import mark_past_columns
from pipeline.transform.html.style_rules import mark_by_style_elements
from pipeline.transform.html.visibility import (
    FRAME_TAGS,
    INLINE_TAGS,
    added_texts,
    is_footnote_mark,
    is_frame,
    is_help,
    is_hidden,
    is_icon,
    is_struck,
    is_surely_content,
    marks_of,
    own_text_of,
)
from pipeline.transform.source_text import collapse, words

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
TEXT = ""
"""The `tag` of text nodes."""

_INVISIBLE_TAGS = frozenset(
    words("script|style|template|noscript|svg|head|iframe|dialog|img|object|audio|video")
)
_OMITTED_TAGS, _OMITTED_LENGTH = frozenset({"button", "nav"}), 80
_PANEL_ROLES = frozenset({"tabpanel", "region"})
_NO_ATTRIBUTES: dict[str, str] = {}
MAX_TAGS = 40_000
"""Pages with more tags are not read: companies' pages have a tenth of that, and reading would take too long."""
_MAX_DEPTH = 250
"""Elements nested deeper than this are not read: real pages are shallower, and Python limits recursion."""
_COLONS = frozenset({":", "："})
IDNO_TEXT = re.compile(r"(?<![0-9])[0-9]{13}(?![0-9])")
"""Thirteen digits without other digits next to them; `parse_idno` checks whether they are a valid IDNO."""


@dataclass(slots=True, eq=False)
class Node:
    """An element or a text node (its `tag` is TEXT), with the text that it shows.

    The nodes of a page are numbered in document order. `start` is the number of this node, `end` that of the last node
    inside it.
    `raw` is the text as written, `text` the same with white space collapsed.
    """

    tag: str
    parent: "Node | None"
    start: int
    attributes: dict[str, str]
    style: str
    page: list["Node"]
    """All nodes of the page in document order. The index of this node in the list is `start - 1`."""
    children: list["Node"] = field(default_factory=list)
    raw: str = ""
    text: str = ""
    end: int = 0
    is_block: bool = False
    is_apart: bool = False
    """Whether the look of the page sets the node apart from its neighbours on the line, like a badge."""

    @property
    def shape(self) -> tuple[str, str]:
        """The tag and the style of the node. Siblings of the same kind, such as rows, have the same shape.

            <p class="row">Statut: Activă</p>
            <p class="row">Adresa: str. Pilda, 1</p>

        → ("p", "row") for both
        """
        return self.tag, self.style

    def looks_like(self, other: "Node") -> bool:
        """Tell whether two nodes have the same shape, or different tags with the same style."""
        return self.shape == other.shape or bool(self.style and self.style == other.style)

    @property
    def is_inline(self) -> bool:
        """Whether the node is part of a line of text: it is not a block and contains no block.

            <a href="/persons/1"><div>MODELEANU ION</div></a>

        → False: the link contains a block
        """
        return not self.is_block

    def contains(self, other: "Node") -> bool:
        """Tell whether `other` is this node or inside it."""
        return self.start <= other.start <= self.end

    def ancestors(self) -> Iterator["Node"]:
        """Yield the elements around the node, the nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def ancestor(self, *tags: str) -> "Node | None":
        """Return the nearest element around the node that has one of the `tags`, or None."""
        node = self.parent
        while node is not None and node.tag not in tags:
            node = node.parent
        return node

    def descendants(self) -> Iterator["Node"]:
        """Yield the nodes inside this node, in document order."""
        yield from self.page[self.start : self.end]

    def leaves(self) -> Iterator["Node"]:
        """Yield the text nodes inside this node, in document order; a text node yields itself."""
        for node in self.page[self.start - 1 : self.end]:
            if node.tag == TEXT:
                yield node

    def following_siblings(self) -> list["Node"]:
        """Return the siblings after the node, in document order."""
        if self.parent is None:
            return []
        return self.parent.children[bisect_right(self.parent.children, self.start, key=_start_of) :]

    def preceding_siblings(self) -> list["Node"]:
        """Return the siblings before the node, the nearest first."""
        if self.parent is None:
            return []
        return self.parent.children[: bisect_left(self.parent.children, self.start, key=_start_of)][::-1]


def _start_of(node: Node) -> int:
    return node.start


@dataclass(frozen=True)
class PageTree:
    """A page without menus, footers and invisible parts. `heading`: most likely the company's name."""

    root: Node
    heading: Node | None
    title: str
    notes: tuple[str, ...] = ()
    """What was odd about the page as a whole."""
    omitted: tuple[tuple[int, str], ...] = ()
    """The texts of buttons and of menus, which are not nodes, each with the number of the node before it."""


def has_too_many_tags(html: str) -> bool:
    """Tell whether a page is too large to be read. This takes no time, because nothing is parsed."""
    return html.count("<") > MAX_TAGS


def read_page(html: str, look: str | None = None) -> PageTree:
    """Parse rendered HTML into a tree of what a visitor reads as the content of the page.

    `look` is what the browser recorded about the look of the page. Without it, or if it is not that of the page, the
    page's own `style` elements are used as far as they can be without a browser.

        <nav>Adresa</nav>
        <main><h1>PLOPENA AGRO</h1><p>Statut: Activă</p></main>
        <footer>Adresa: str. Operatorului, 5</footer>

    → a tree with `main` and the nodes inside it, without `nav` and `footer`; `heading` is the `h1`
    """
    notes: tuple[str, ...] = ()
    has_look = look is not None
    if look is not None:
        try:
            html = apply_look(html, look)
        except LookDoesNotFit as reason:
            notes, has_look = (f"the recorded look does not fit the page: {reason}",), False
    soup = parse_html(html)
    if not has_look and "<style" in html.lower():
        mark_by_style_elements(soup, INLINE_TAGS)
    mark_past_columns(soup)
    title_tag = first_tag(soup, "title")
    title = collapse(title_tag.get_text()) if title_tag else ""
    body = first_tag(soup, "body") or soup
    index = index_page(body)
    heading = company_heading(index, title, has_look=has_look)
    builder = _NodeBuilder(heading, index.controlled_ids, StyleClasses(index.class_texts), has_look=has_look)
    root = builder.build(body, None)
    return PageTree(
        root=root, heading=builder.heading, title=title, notes=notes, omitted=tuple(builder.omitted)
    )


def visible_text(node: Node) -> str:
    """Return the text of a node as shown: blocks and line breaks separate words, inline tags do not."""
    return node.text


def text_of(nodes: Iterable[Node], excluded: Sequence[Node] = ()) -> str:
    """Return the text of neighbouring nodes, without the `excluded` nodes inside them."""
    return collapse("".join(piece for node in nodes for piece in _raw_without(node, excluded)))


def _raw_without(node: Node, excluded: Sequence[Node]) -> Iterator[str]:
    """Yield the raw text of a node in pieces, with a space in place of each excluded node."""
    if any(other is node for other in excluded):
        yield " "
    elif not any(node.contains(other) for other in excluded):
        yield node.raw if node.is_inline else f" {node.raw} "
    else:
        for child in node.children:
            yield from _raw_without(child, excluded)
            yield " "


def lines_in(nodes: Iterable[Node]) -> list[list[Node]]:
    """Return the lines that neighbouring nodes form, split at line breaks.

        <span>MODELEANU ION<br>EXEMPLESCU MARIA</span>

    → two lines with one text each. An element that contains a line break is replaced by its children.
    """
    lines: list[list[Node]] = [[]]
    for node in _split_at_breaks(nodes):
        if node.tag == "br":
            lines.append([])
        else:
            lines[-1].append(node)
    return lines


def _split_at_breaks(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the nodes. Instead of an element that contains a line break, yield the children of this element."""
    for node in nodes:
        if (
            node.tag not in (TEXT, "br")
            and len(node.children) > 1
            and any(n.tag == "br" for n in node.descendants())
        ):
            yield from _split_at_breaks(node.children)
        else:
            yield node


class _NodeBuilder:
    """Builds nodes from BeautifulSoup tags, and remembers which node is the heading."""

    def __init__(
        self, heading: Tag | None, controlled_ids: set[str], styles: StyleClasses, *, has_look: bool
    ) -> None:
        self._heading_tag, self._has_look = heading, has_look
        self._controlled_ids = controlled_ids
        self._around_heading = {id(tag) for tag in heading.parents} if heading else set()
        self._styles = styles
        self._nodes: list[Node] = []
        self.heading: Node | None = None
        self.omitted: list[tuple[int, str]] = []

    def build(self, tag: Tag, parent: Node | None, depth: int = 0) -> Node:
        """Return the node of `tag` with everything visible inside."""
        # `parse_html` makes every attribute value a string.
        node = self._node(tag.name, parent, cast("dict[str, str]", tag.attrs))
        if tag is self._heading_tag:
            self.heading = node
        pieces: list[str] = []
        marks = marks_of(tag)
        before, after = added_texts(tag) if BEFORE in tag.attrs or AFTER in tag.attrs else ("", "")
        self._add_text(node, before, pieces)
        for child in tag.children:
            if isinstance(child, Tag):
                own_text = own_text_of(child)
                if depth >= _MAX_DEPTH:
                    continue
                if child.name in FORM_FIELDS:
                    self._add_form_field(node, child, pieces)
                elif self._is_excluded(child, own_text):
                    self._keep_omitted(child)
                elif own_text in _COLONS or (own_text and LEADER.fullmatch(own_text)):
                    self._add_text(node, ":", pieces)
                else:
                    self._add_element(node, child, pieces, depth + 1)
            elif isinstance(child, NavigableString) and not (
                isinstance(child, PreformattedString) or marks & Mark.MUTED
            ):
                text = str(child).replace("\x00", "")
                in_heading = self.heading is not None and self.heading.end == 0
                self._add_text(
                    node, text if in_heading else without_leader(text, is_first=not pieces), pieces
                )
        self._add_text(node, after, pieces)
        is_inline = (tag.name in INLINE_TAGS and not marks & Mark.BLOCK) or marks & Mark.INLINE
        node.is_block = not is_inline or any(child.is_block for child in node.children)
        node.is_apart = bool(marks & Mark.APART)
        node.raw = f" {''.join(pieces)} " if node.is_apart else "".join(pieces)
        # Next to an only child there is only white space, so the text of the child can be reused.
        node.text = node.children[0].text if len(node.children) == 1 else collapse(node.raw)
        node.end = len(self._nodes)
        return node

    def _node(self, tag: str, parent: Node | None, attributes: dict[str, str]) -> Node:
        style = self._styles.style_of(attributes.get("class", "")) if attributes else ""
        node = Node(tag, parent, len(self._nodes) + 1, attributes, style, self._nodes)
        self._nodes.append(node)
        return node

    def _add_element(self, node: Node, tag: Tag, pieces: list[str], depth: int) -> None:
        child = self.build(tag, node, depth)
        node.children.append(child)
        separator = "" if child.is_inline else " "
        pieces.append(f"{separator}{child.raw}{separator}")

    def _keep_omitted(self, tag: Tag) -> None:
        if tag.name in _OMITTED_TAGS and not self._is_hidden(tag):
            self.omitted.append((len(self._nodes), collapse(tag.get_text(" "))[:_OMITTED_LENGTH]))

    def _add_form_field(self, node: Node, tag: Tag, pieces: list[str]) -> None:
        """Append a form field with its text, if a visitor can read the field but not change it."""
        text = fixed_text(tag)
        if not text or self._is_hidden(tag):
            return
        field = self._node(tag.name, node, cast("dict[str, str]", tag.attrs))
        field.is_block = True
        self._add_text(field, text, [])
        field.raw, field.text, field.end = text, collapse(text), len(self._nodes)
        node.children.append(field)
        pieces.append(f" {text} ")

    def _add_text(self, node: Node, text: str, pieces: list[str]) -> None:
        """Append a text to a node. If only an HTML comment separates it from the previous text, join both texts.

            <p>Statut: <!-- -->Activă</p>

        → one text, "Statut: Activă"
        """
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

    def _is_excluded(self, tag: Tag, own_text: str | None) -> bool:
        """Tell whether an element is not content: invisible, a button, a help mark, or part of the site's frame.

            <b>Statut</b> <sup>[?]</sup> <button>Copiază</button>
            <p style="display: none">Adresa: str. Ascunsă, 1</p>

        → True for `sup`, `button` and `p`. False for a hidden panel that an element of the page can open.
        """
        if is_surely_content(tag, own_text):
            return False
        if tag.name in _INVISIBLE_TAGS or is_icon(tag):
            return True
        if tag.name == "button" and not _is_section_toggle(tag):
            return True
        if is_help(tag, own_text) or self._is_hidden(tag) or is_struck(tag) or is_footnote_mark(tag):
            return True
        return is_frame(tag) and id(tag) not in self._around_heading and not self._is_content(tag)

    def _is_hidden(self, tag: Tag) -> bool:
        """Tell whether an element is hidden and cannot be opened by a tab or the header of an accordion."""
        if not is_hidden(tag, has_look=self._has_look) or marks_of(tag) & Mark.OPENABLE:
            return False
        return tag.get("role") not in _PANEL_ROLES and tag.get("id") not in self._controlled_ids

    def _is_content(self, tag: Tag) -> bool:
        """Tell whether an element contains content, although its tag or role says frame (menu, header, footer).

            <section><header><h3>Fondatori</h3></header>…</section>
            <ul role="navigation"><li>Statut: Activă</li></ul>
            <aside><p>IDNO: 1020999000019</p></aside>

        → True for `header` and `ul` after the company's heading, and for an `aside` with exactly one IDNO
        """
        after_heading = self.heading is not None
        if tag.name == "header" or (tag.name not in FRAME_TAGS and tag.get("role") == "navigation"):
            return after_heading
        return tag.name == "aside" and len(set(IDNO_TEXT.findall(str(tag)))) == 1


def _is_section_toggle(button: Tag) -> bool:
    """Tell whether a button expands the section below. Then its text is the heading of the section. False for tabs.

        <h3><button aria-expanded="false">Fondatori</button></h3>

    → True
    """
    if button.get("role") == "tab":
        return False
    return button.has_attr("aria-expanded") or button.find_parent([*HEADINGS, "summary"]) is not None
