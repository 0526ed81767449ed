"""Marks from a page's own `style` elements, for captures without a recorded look.

Only what can be decided without a browser is applied: rules whose declarations hide, strike out, stack or separate
elements, in the order of the cascade. The amount of work is bounded, however many rules a page has.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import soupsieve
from bs4 import BeautifulSoup
from bs4.element import Tag

from pipeline.transform.html.look import MARKS, Mark
from pipeline.transform.source_text import words

_MAX_STYLE_CHARACTERS = 400_000
_MAX_RULES = 400
_MAX_SELECTOR = 200
_MAX_COST = 4_000
"""The sum of the costs of comparing elements with selectors (see `_cost`)."""
_VIEWPORT_PX = 1280
"""The width of the browser's window during visits."""

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_RULE = re.compile(r"([^{}]*+)([{}])")
_WIDTH_LIMIT = re.compile(r"\((min|max)-width:([0-9.]++)(px|em|rem)\)")
_DYNAMIC = re.compile(r"(?<!\\):(?!not|is|where|first-|last-|nth-|only-|root|empty)|@")
"""Selectors of states (`:hover`), of parts (`::before`) and of what soupsieve does not know."""
_KEY = re.compile(r"[.#]?(?:[\w-]|\\.)+$")
_CONDITIONS = re.compile(r"(?:\[[^\]]*\]|(?<!\\):[\w-]+(?:\([^)]*\))?)+$")
"""What may follow a name in a selector: `[data-state=closed]`, `:not(.open)`."""
_SPECIFIC = re.compile(r"(#[\w-]+)|(\.[\w-]+|\[|:(?!not|is|where))|((?:^|[\s>+~])[a-z])", re.IGNORECASE)
_ZERO = re.compile(r"[+-]?0*\.?0*(?:px|em|rem|%)?")
_FAR_OUTSIDE = re.compile(r"-\d{3,}(?:\.\d+)?(?:px|em|rem|%)?|-\d{3,}vw")
_SMALL = re.compile(r"0(?:\.0*+)?(?:px|em|rem|%)?|1px")
_READ = frozenset(
    words(
        "display|visibility|opacity|text-decoration|text-decoration-line|position|left|top|text-indent|clip|clip-path"
        "|overflow|overflow-x|overflow-y|width|height|max-height|font-size|vertical-align|flex-direction"
        "|margin|margin-left|margin-right|padding|padding-left|padding-right|color|background-clip"
        "|-webkit-background-clip|transform"
    )
)
_GAPS = ("margin", "margin-left", "margin-right", "padding", "padding-left", "padding-right")

Declarations = Mapping[str, str]


@dataclass(frozen=True)
class _Rule:
    selector: str
    declarations: Declarations
    rank: tuple[int, int, int, int]
    """The specificity of the selector and the position of the rule: of two rules, that with the higher rank wins."""


def mark_by_style_elements(soup: BeautifulSoup, inline_tags: frozenset[str]) -> None:
    """Set the marks of a page's elements as its `style` elements say.

        <style>.was td { text-decoration: line-through }</style>
        <tr class="was"><td>HARABARA LEONID</td></tr>

    → the cell is marked as struck
    """
    styles = [str(style.string or "") for style in soup.find_all("style")]
    rules = list(_rules(" ".join(styles)[:_MAX_STYLE_CHARACTERS])) if styles else []
    if not rules:
        return
    looks = _cascade(soup, rules)
    for tag, look in looks.values():
        look.update(parse_declarations(str(tag.attrs.get("style", ""))))
    for tag, look in looks.values():
        parent = looks.get(id(tag.parent))
        marks = _marks(tag, look, parent[1] if parent else {}, inline_tags)
        if marks:
            tag.attrs[MARKS] = str(int(marks))
    _mark_row_items(looks.values(), inline_tags)


def _rules(css: str) -> Iterator[_Rule]:
    """Yield the rules that apply to a wide screen and whose declarations matter.

    `.a, .b { display: none } @media print { .c { display: none } }` → `.a` and `.b`
    """
    css = _COMMENT.sub(" ", css)
    css = css[: css.rfind("}") + 1]
    selector, inactive, depth, count = "", 0, 0, 0
    for match in _RULE.finditer(css):
        text = match[1].rpartition(";")[2].strip() if match[2] == "{" else match[1]
        if match[2] == "{":
            depth += 1
            if inactive or (text.startswith("@") and not _applies(text)):
                inactive = inactive or depth
            selector = "" if text.startswith("@") else text
            continue
        declarations = parse_declarations(text) if selector and not inactive else {}
        if declarations:
            for part in selector.split(","):
                count += 1
                if count > _MAX_RULES:
                    return
                if len(part) <= _MAX_SELECTOR and not _DYNAMIC.search(part):
                    yield _Rule(part.strip(), declarations, (*_specificity(part), count))
        if inactive >= depth:
            inactive = 0
        depth, selector = max(0, depth - 1), ""


def _applies(at_rule: str) -> bool:
    """Tell whether the rules in an `@` block apply to a wide screen."""
    text = at_rule.lower().replace(" ", "")
    if text.startswith(("@supports", "@layer")):
        return True
    if (
        not text.startswith("@media")
        or "print" in text
        or "not" in text
        or "prefers" in text
        or "hover" in text
    ):
        return False
    return all(
        (float(number) * (1 if unit == "px" else 16) <= _VIEWPORT_PX) == (limit == "min")
        for limit, number, unit in _WIDTH_LIMIT.findall(text)
    )


def _specificity(selector: str) -> tuple[int, int, int]:
    found = _SPECIFIC.findall(selector)
    return (
        sum(1 for identity, _, _ in found if identity),
        sum(1 for _, class_, _ in found if class_),
        sum(1 for _, _, tag in found if tag),
    )


def _cascade(soup: BeautifulSoup, rules: Iterable[_Rule]) -> dict[int, tuple[Tag, dict[str, str]]]:
    """Return the declarations that apply to each element, by the identity of the element."""
    index = _index(soup)
    applied: dict[int, tuple[Tag, dict[str, str]]] = {}
    left = _MAX_COST
    for rule in sorted(rules, key=lambda rule: rule.rank):
        key = _KEY.search(_CONDITIONS.sub("", rule.selector))
        candidates = index.get(key[0].replace("\\", "") if key else "*", ())
        try:
            matches = soupsieve.compile(rule.selector).match
            for tag in candidates:
                left -= _cost(tag, rule.selector)
                if left < 0:
                    return applied
                if matches(tag):
                    applied.setdefault(id(tag), (tag, {}))[1].update(rule.declarations)
        except (soupsieve.SelectorSyntaxError, ValueError, NotImplementedError):
            continue
    return applied


def _cost(tag: Tag, selector: str) -> int:
    """Return about how long soupsieve compares an element with a selector; 1 for an ordinary element and selector.

    `.a .b .c` may be tried with each pair of ancestors, `li:nth-child(2)` counts siblings.
    """
    cost, levels = 1, len(selector.split()) - 1
    if levels > 1:
        cost += int(sum(1 for _ in tag.parents) ** levels // 400)
    if (":" in selector or "~" in selector) and tag.parent is not None:
        cost += len(tag.parent.contents) // 20
    return cost


def _index(soup: BeautifulSoup) -> Mapping[str, list[Tag]]:
    """Return the elements by tag, by class (`.x`) and by id (`#x`); `*` stands for all."""
    index: defaultdict[str, list[Tag]] = defaultdict(list)
    for tag in (soup.body or soup).find_all(True):
        index["*"].append(tag)
        index[tag.name].append(tag)
        for name in set(str(tag.attrs.get("class", "")).split()):
            index[f".{name}"].append(tag)
        if identity := tag.attrs.get("id"):
            index[f"#{identity}"].append(tag)
    return index


def _marks(tag: Tag, look: Declarations, parent: Declarations, inline_tags: frozenset[str]) -> int:
    marks: int = Mark.HIDDEN if is_hidden_by(look) else 0
    if is_struck_by(look):
        marks |= Mark.STRUCK
    has_no_size = "font-size" in look and _ZERO.fullmatch(look["font-size"])
    is_filled = "text" in look.get("background-clip", look.get("-webkit-background-clip", ""))
    if has_no_size or (look.get("color") == "transparent" and not is_filled):
        marks |= Mark.MUTED
    if look.get("vertical-align") in ("super", "sub"):
        marks |= Mark.RAISED
    display = look.get("display", "")
    if tag.name not in inline_tags:
        return marks | (Mark.INLINE if display == "inline" and tag.name in ("div", "p") else 0)
    if display in ("block", "flex", "grid", "table", "list-item") and not _is_row(parent):
        return marks | Mark.BLOCK
    has_gap = any(not _ZERO.fullmatch(value) for name in _GAPS for value in look.get(name, "").split())
    return marks | (Mark.APART if has_gap and tag.name != "mark" else 0)


def is_hidden_by(look: Declarations) -> bool:
    """Tell whether declarations hide an element, as `display: none` and the usual forms of screen-reader text do."""
    if look.get("display") == "none" or look.get("visibility") in ("hidden", "collapse"):
        return True
    if re.fullmatch(r"0*\.?0+%?", look.get("opacity", "1")):
        return True
    if re.match(r"scale\(0+\)", look.get("transform", "")):
        return True
    if re.match(r"inset\((?:[5-9]\d|100)%|circle\(0", look.get("clip-path", "")):
        return True
    is_positioned = look.get("position") in ("absolute", "fixed")
    sides = [look.get(side, "") for side in ("left", "top", "margin-left", "text-indent")]
    if any(_FAR_OUTSIDE.fullmatch(side) for side in sides):
        return True
    clips = (
        "hidden" in f"{look.get('overflow', '')} {look.get('overflow-x', '')} {look.get('overflow-y', '')}"
    )
    is_small = any(_SMALL.fullmatch(look.get(name, "")) for name in ("width", "height", "max-height"))
    return (is_positioned and look.get("clip", "").startswith("rect(")) or (clips and is_small)


def is_struck_by(look: Declarations) -> bool:
    """Tell whether declarations strike an element out."""
    return "line-through" in look.get("text-decoration-line", look.get("text-decoration", ""))


def parse_declarations(style: str) -> dict[str, str]:
    """Return the declarations of a rule or a `style` attribute that matter.

    `display: none; color: red` → {"display": "none"}
    """
    found: dict[str, str] = {}
    for part in style.split(";"):
        name, _, value = part.partition(":")
        if (name := name.strip().lower()) in _READ:
            found[name] = value.replace("!important", "").strip().lower()
    return found


def _is_row(look: Declarations) -> bool:
    is_flexible = look.get("display") in ("flex", "inline-flex", "grid", "inline-grid")
    return is_flexible and not look.get("flex-direction", "").startswith("column")


def _mark_row_items(looks: Iterable[tuple[Tag, Mapping[str, str]]], inline_tags: frozenset[str]) -> None:
    """Mark the inline elements that a row sets apart, as in `<div class="flex"><b>Statut</b><i>Activă</i></div>`."""
    for row, look in looks:
        if _is_row(look):
            for item in row.children:
                if isinstance(item, Tag) and item.name in inline_tags:
                    item.attrs[MARKS] = str(int(str(item.attrs.get(MARKS, 0))) | int(Mark.APART))
