"""A rendered page as a tree: its visible text, its heading, its frame taken away."""

from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from pipeline.transform.text import collapse

INLINE_TAGS = frozenset(
    *["a abbr b bdi bdo cite code data em font i mark q s small span strong sub sup time u wbr".split()]
)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

_INVISIBLE_TAGS = (
    *("script", "style", "template", "noscript", "svg", "head", "iframe", "select", "textarea", "dialog"),
)
_FRAME_TAGS = ("nav", "footer", "aside", "header")
_FRAME_ROLES = ("navigation", "contentinfo", "banner", "complementary", "search", "dialog", "alertdialog")


@dataclass(frozen=True)
class Page:
    """A page without its frame: `root` holds what is left, `heading` its first level-one heading."""

    root: Tag
    heading: Tag | None
    title: str


def read_page(html: str) -> Page:
    """Parse rendered HTML and take away what no visitor reads as the page's own: scripts, menus, footers."""
    soup = BeautifulSoup(html, "lxml")
    title = collapse(soup.title.get_text()) if soup.title else ""
    root = soup.body or soup
    for tag in root.find_all(_INVISIBLE_TAGS):
        tag.decompose()
    for tag in root.find_all(_is_hidden):
        tag.decompose()
    heading = _heading(root)
    for tag in root.find_all(_is_frame):
        if not tag.decomposed and (heading is None or heading not in tag.descendants):
            tag.decompose()
    return Page(root=root, heading=heading, title=title)


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style", "")).replace(" ", "").lower()
    return tag.has_attr("hidden") or "display:none" in style or "visibility:hidden" in style


def _is_frame(tag: Tag) -> bool:
    return tag.name in _FRAME_TAGS or str(tag.get("role", "")).lower() in _FRAME_ROLES


def _heading(root: Tag) -> Tag | None:
    """The first h1 with text; one inside `main` or `article` before others, one in a frame last."""
    headings = [tag for tag in root.find_all("h1") if visible_text(tag)]
    return min(headings, key=_heading_rank, default=None)


def _heading_rank(heading: Tag) -> int:
    if heading.find_parent(_is_frame) is not None and heading.find_parent(("main", "article")) is None:
        return 2
    return 0 if heading.find_parent(("main", "article")) is not None else 1


def is_text(node: object) -> bool:
    """Tell whether a node is text that is shown (not a comment, not blank)."""
    return (
        isinstance(node, NavigableString)
        and not isinstance(node, PreformattedString)
        and not str(node).isspace()
        and str(node) != ""
    )


def text_nodes(root: Tag) -> Iterator[NavigableString]:
    """Yield the shown text nodes under `root`, in the order of the document."""
    for node in root.descendants:
        if isinstance(node, NavigableString) and is_text(node):
            yield node


def visible_text(node: Tag | NavigableString) -> str:
    """Return the text of a node as it is shown: blocks and line breaks part words, inline tags do not."""
    if isinstance(node, NavigableString):
        return collapse(str(node)) if is_text(node) else ""
    return collapse("".join(_pieces(node)))


def _pieces(tag: Tag) -> Iterator[str]:
    for child in tag.children:
        if isinstance(child, Tag):
            apart = "" if child.name in INLINE_TAGS else " "
            yield apart
            yield from _pieces(child)
            yield apart
        elif not isinstance(child, PreformattedString):
            yield str(child)


def shape(tag: Tag) -> tuple[str, tuple[str, ...]]:
    """Return what makes siblings of one kind look alike: the tag's name and its classes, whatever they are."""
    classes = tag.get("class")
    return tag.name, tuple(sorted(classes)) if isinstance(classes, list) else (str(classes or ""),)


def next_nodes(node: Tag | NavigableString) -> list[Tag | NavigableString]:
    """Return the following siblings that show something."""
    return [sibling for sibling in node.next_siblings if shows(sibling)]  # type: ignore[misc]


def shows(node: object) -> bool:
    """Tell whether a node holds shown text."""
    if isinstance(node, Tag):
        return bool(visible_text(node))
    return is_text(node)


def branches(first: Tag, second: Tag | NavigableString) -> tuple[Tag, Tag | NavigableString] | None:
    """Return the lowest tag that holds both nodes, and its child that holds `second`.

    None where `second` lies in `first` or has no tag in common with it.
    """
    above_first = {id(first)} | {id(parent) for parent in first.parents}
    branch: Tag | NavigableString = second
    for parent in second.parents:
        if id(parent) in above_first:
            return (parent, branch) if parent is not first else None
        branch = parent
    return None
