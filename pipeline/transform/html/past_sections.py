"""Search for the extent of sections about the past: former names, addresses, founders, a log of changes."""

import re
from collections.abc import Sequence
from itertools import takewhile

from pipeline.transform.html.columns import is_cell
from pipeline.transform.html.labelled_value import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node
from pipeline.transform.html.value_lines import SEPARATORS
from pipeline.transform.vocabulary.labels import field_of

_TAB_LENGTH = 40
_ACTIVE_CLASSES = frozenset({"on", "active", "selected", "current", "open", "act", "sel"})
_TAB_BAR_WORDS = frozenset({"tab", "tabs", "nav", "pills", "segmented", "tablist", "tabbar"})
_CLASS_WORD = re.compile(r"[\s_-]+")
_TITLES = ("summary", "legend", "caption", *HEADINGS)


def history_nodes(hit: LabelledValue) -> Sequence[Node]:
    """Return the nodes below or next to a label of the past; nothing in them is a current fact.

        <h3>Istoric</h3><p>Adresa: str. Veche, 1</p><h3>Fondatori</h3>
        <p><b>Adresa anterioară:</b> str. Veche, 1</p>

    → the `p`; the text after the `b`
    """
    is_beside = hit.label.tag == "dt" or is_cell(hit.label)
    if hit.text is not None or is_beside or any(node.start < hit.label.start for node in hit.nodes):
        return hit.nodes
    if (panels := _panels_of_tab(hit.label)) is not None:
        return [*hit.nodes, *panels]
    title = hit.label
    while title.parent is not None and not _after(title):
        title = title.parent
    return [*hit.nodes, *takewhile(lambda node: not _ends(title, hit.label, node), _after(title))]


def _panels_of_tab(label: Node) -> Sequence[Node] | None:
    """Return the panels of a tab with a title of the past; None if the label is not one of several tabs.

        <ul class="tabs"><li class="on">Date generale</li><li>Arhivă</li></ul>
        <div class="tab on">…</div>
        <div class="tab">…</div>

    → the second `div`. If only one panel is on the page, it is that of the tab that is marked as active, or of the
    first one.
    """
    tab = label
    while tab.parent is not None and tab.parent.text == tab.text:
        tab = tab.parent
    if tab.parent is None:
        return None
    tabs = [child for child in tab.parent.children if child.text.strip(SEPARATORS)]
    is_strip = len(tabs) > 1 and all(
        other.tag == tab.tag != TEXT and len(other.text) <= _TAB_LENGTH and _has_one_text(other)
        for other in tabs
    )
    if not is_strip or (tab.tag in ("dt", "dd", "td", "th", *HEADINGS)) or label.tag in HEADINGS:
        return None
    strip = tab.parent
    if not any(map(_is_active, tabs)) and not _is_tab_bar(strip) and tab.attributes.get("role") != "tab":
        return None
    while strip.parent is not None and not _after(strip):
        strip = strip.parent
    panels = _after(strip)
    if len(panels) == 1 and len(panels[0].children) == len(tabs):
        panels = list(panels[0].children)
    if len(panels) >= len(tabs) and len({panel.tag for panel in panels[: len(tabs)]}) == 1 and len(tabs) > 1:
        return [panels[tabs.index(tab)]]
    active = next((other for other in tabs if _is_active(other)), tabs[0])
    return panels if active is tab else []


def _is_tab_bar(node: Node) -> bool:
    words = _CLASS_WORD.split(node.attributes.get("class", "").lower())
    return node.attributes.get("role") == "tablist" or not _TAB_BAR_WORDS.isdisjoint(words)


def _has_one_text(node: Node) -> bool:
    leaves = list(node.leaves())
    return (
        len(leaves) <= 2 and ":" not in node.text and not any(letter.isdigit() for letter in leaves[0].text)
    )


def _is_active(tab: Node) -> bool:
    around = [tab, *tab.descendants()]
    return any(
        node.attributes.get("aria-selected") == "true"
        or not _ACTIVE_CLASSES.isdisjoint(_CLASS_WORD.split(node.attributes.get("class", "").lower()))
        for node in around
    )


def _after(node: Node) -> list[Node]:
    return [sibling for sibling in node.following_siblings() if sibling.text.strip(SEPARATORS)]


def _ends(title: Node, label: Node, node: Node) -> bool:
    """Tell whether a section ends before `node`: it is or contains the next title.

    A section whose title is a heading ends at a heading of the same or a higher level.
    """
    if title.tag == TEXT:
        return False
    opening = _title_of(node)
    heading = label if label.tag in HEADINGS else label.ancestor(*HEADINGS)
    if heading is not None:
        return opening is not None and opening.tag in HEADINGS and opening.tag <= heading.tag
    if opening is not None:
        return True
    return node.shape == title.shape and (bool(title.style) or field_of(node.text) is not None)


def _title_of(node: Node) -> Node | None:
    """Return the heading, legend or summary that a node is or starts with, or None."""
    leaf = next(node.leaves(), None)
    if leaf is None:
        return None
    around = [other for other in (leaf, *leaf.ancestors()) if node.contains(other) and other.tag in _TITLES]
    return around[0] if around else None
