"""What of a page a visitor does not read as content: hidden and struck texts, icons, footnote marks, frames."""

import re

from bs4.element import NavigableString, PreformattedString, Tag

from pipeline.transform.html.look import AFTER, BEFORE, MARKS, Mark
from pipeline.transform.html.style_rules import is_hidden_by, is_struck_by, parse_declarations
from pipeline.transform.source_text import words

INLINE_TAGS = frozenset(
    words("a|abbr|b|bdi|bdo|cite|code|data|em|font|i|ins|mark|q|s|small|span|strong|sub|sup|time|u|wbr")
)
FRAME_TAGS = frozenset({"nav", "footer", "aside", "header"})
_FRAME_ROLES = frozenset(words("navigation|contentinfo|banner|complementary|search|dialog|alertdialog"))
_SCREEN_READER_CLASSES = frozenset(
    words(
        "sr-only|visually-hidden|visuallyhidden|screen-reader-text|cdk-visually-hidden|screenreader-only|a11y-hidden"
    )
)
"""Classes that by convention hide a text from everyone but the users of screen readers."""
_PLAIN_TAGS = frozenset(
    words(
        "a|article|b|dd|div|dl|dt|em|h1|h2|h3|h4|h5|h6|li|main|ol|p|section|small|span|strong|table|tbody|td|tfoot|th"
        "|thead|tr|ul"
    )
)
"""Tags that say nothing about whether an element is content."""
_TELLING_ATTRIBUTES = frozenset({MARKS, "aria-hidden", "hidden", "popover", "role", "style"})
"""Attributes that may say that an element is no content; `class` may too."""
_HELP_MARKS = frozenset({"?", "[?]", "(?)", "i", "(i)", "[i]", "ⓘ", "ℹ", "ℹ️", "🛈", "❓", "❔"})
_STRUCK_TAGS = frozenset({"del", "s", "strike"})
_RAISED_TAGS = frozenset({"sup", "sub"})
_FOOTNOTE_MARK = re.compile(r"[\[(]?(?:[0-9]{1,2}(?:[,;] ?[0-9]{1,2})*+|\*{1,4}|[†‡§]+)[\])]?")
_UNIT = re.compile(r"(?:^|[\s0-9])(?:[kcdm]?m|ha)$")
_TEXT_INPUTS = frozenset(words("text|email|tel|url|number|date|search"))
_ICON_WORD = re.compile(r"[a-z]+(?:_[a-z0-9]+)*|\W*")
_WORD = re.compile(r"[^\W_]|[%‰€$]")


def is_surely_content(tag: Tag, own_text: str | None) -> bool:
    """Tell whether neither the tag nor an attribute of an element can say that it is no content.

    Most elements are such; the functions below need not be called for them.
    """
    if (
        tag.name not in _PLAIN_TAGS
        or own_text in _HELP_MARKS
        or not _TELLING_ATTRIBUTES.isdisjoint(tag.attrs)
    ):
        return False
    classes = tag.attrs.get("class")
    return not classes or _SCREEN_READER_CLASSES.isdisjoint(str(classes).split())


def is_icon(tag: Tag) -> bool:
    """Tell whether an element is an icon. (An icon font shows a word as a picture; the word is not content.)

        <i class="material-icons">location_on</i> Adresa

    → True for `i`
    """
    if "icon" in tag.name:
        return True
    if tag.name != "i" and tag.get("aria-hidden") != "true":
        return False
    return tag.find(True) is None and bool(_ICON_WORD.fullmatch(tag.get_text().strip()))


def own_text_of(tag: Tag) -> str | None:
    """Return the text of an element; None if the element contains other elements."""
    texts: list[str] = []
    for child in tag.contents:
        if isinstance(child, Tag):
            return None
        if not isinstance(child, PreformattedString):
            texts.append(str(child))
    return "".join(texts).strip()


def is_hidden(tag: Tag, *, has_look: bool = False) -> bool:
    """Tell whether an element is invisible, or visible only once a visitor opens it.

        <p hidden>…</p>
        <p style="display: none">…</p>
        <span class="sr-only">…</span>

    → True for all three. With a look (`has_look`), only the marks count: a stylesheet may show a hidden element.
    """
    attributes = tag.attrs
    if not attributes:
        return False
    if has_look or marks_of(tag) & Mark.HIDDEN:
        return bool(marks_of(tag) & Mark.HIDDEN)
    if "hidden" in attributes or "popover" in attributes:
        return True
    if not _SCREEN_READER_CLASSES.isdisjoint(str(attributes.get("class", "")).split()):
        return True
    return "style" in attributes and is_hidden_by(parse_declarations(str(attributes["style"])))


def is_struck(tag: Tag) -> bool:
    """Tell whether an element is struck out: its text was true once, or never.

        <del>str. Veche, 1</del> <ins>str. Nouă, 2</ins>

    → True for `del`
    """
    if tag.name in _STRUCK_TAGS:
        return True
    if not tag.attrs:
        return False
    if marks_of(tag) & Mark.STRUCK:
        return True
    return "style" in tag.attrs and is_struck_by(parse_declarations(str(tag.attrs["style"])))


def is_footnote_mark(tag: Tag) -> bool:
    """Tell whether an element is a raised number or sign that refers to a footnote.

        <dd>22.06.2011<sup>1</sup></dd>
        <dd>120 m<sup>2</sup></dd>

    → True for the first, False for the second
    """
    if tag.name not in _RAISED_TAGS and not marks_of(tag) & Mark.RAISED:
        return False
    if not _FOOTNOTE_MARK.fullmatch(tag.get_text().strip()):
        return False
    before = tag.previous_sibling
    return not (isinstance(before, NavigableString) and _UNIT.search(str(before)))


def is_help(tag: Tag, own_text: str | None) -> bool:
    """Tell whether an element offers help: `<sup>[?]</sup>` or `<span role="tooltip">…</span>`."""
    return own_text in _HELP_MARKS or tag.get("role") == "tooltip"


def marks_of(tag: Tag) -> int:
    """Return the marks that the look of the page gives an element (see `Mark`)."""
    marks = tag.attrs.get(MARKS)
    return int(str(marks)) if marks else 0


def added_texts(tag: Tag) -> tuple[str, str]:
    """Return the texts that a stylesheet adds before and after the content of an element.

    Beside a block, a text without letters or digits is a decoration, such as a bullet.
    """
    before, after = str(tag.attrs.get(BEFORE, "")), str(tag.attrs.get(AFTER, ""))
    is_block = tag.name not in INLINE_TAGS
    before, after = ("" if is_block and not _WORD.search(text) else text for text in (before, after))
    return (f"{before} " if before else ""), (f" {after}" if after[:1].isalpha() else after)


def is_frame(tag: Tag) -> bool:
    """Tell whether an element belongs to the frame of a site rather than to its content, by tag or role.

        <nav>…</nav> <footer>…</footer>
        <div role="dialog">…</div>

    → True for all three
    """
    return tag.name in FRAME_TAGS or str(tag.attrs.get("role", "")).lower() in _FRAME_ROLES
