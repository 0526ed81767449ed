"""Ways to change a rendered page: what it says of its company stays true, and nothing else becomes true of it."""

import random
from collections import defaultdict
from collections.abc import Callable

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from pipeline.transform.vocabulary.labels import field_of, label_in_line

Mutation = Callable[[str, str, random.Random], str]
"""The page, another company's page, and dice become a changed page."""

_UNKNOWN = ("Câmp", "Rubrică", "Поле", "Свойство", "Item", "Entry")
_ROWS = ("tr", "p", "section", "li", "div")


def _main(soup: BeautifulSoup) -> Tag:
    """The block with the company's heading."""
    heading = soup.find("h1")
    assert heading is not None and heading.parent is not None
    return heading.parent


def _texts(tag: Tag) -> list[NavigableString]:
    return [text for text in tag.find_all(string=True) if text.strip()]


def labels_renamed(html: str, other: str, dice: random.Random) -> str:
    """Half of the labels are called something else."""
    soup = BeautifulSoup(html, "lxml")
    for text in _texts(_main(soup)):
        line = label_in_line(str(text))
        name = f"{dice.choice(_UNKNOWN)} {dice.choice('ABCDEF')}"
        if dice.random() < 0.5:
            continue
        if field_of(str(text)):
            text.replace_with(f"{name}:" if str(text).rstrip().endswith(":") else name)
        elif line:
            text.replace_with(f"{name}: {line[1]}")
    return str(soup)


def rows_reordered(html: str, other: str, dice: random.Random) -> str:
    """Rows, cards and sections of one kind stand in another order."""
    soup = BeautifulSoup(html, "lxml")
    main = _main(soup)
    for parent in [main, *main.find_all(True)]:
        kinds: dict[tuple[str, str], list[Tag]] = defaultdict(list)
        for child in parent.find_all(_ROWS, recursive=False):
            kinds[child.name, str(child.get("class"))].append(child)
        for alike in kinds.values():
            # Where labels and values take turns, a value would stand below another label.
            if len(alike) < len([each for each in parent.children if isinstance(each, Tag)]):
                continue
            places = [soup.new_tag("template") for _ in alike]
            for child, place in zip(alike, places, strict=True):
                child.replace_with(place)
            for child, place in zip(dice.sample(alike, len(alike)), places, strict=True):
                place.replace_with(child)
    return str(soup)


def texts_wrapped(html: str, other: str, dice: random.Random) -> str:
    """Each text stands in an element more."""
    soup = BeautifulSoup(html, "lxml")
    for text in _texts(_main(soup)):
        text.wrap(soup.new_tag("span"))
    return str(soup)


def blocks_wrapped(html: str, other: str, dice: random.Random) -> str:
    """What blocks hold stands in an element more, and so do some blocks."""
    soup = BeautifulSoup(html, "lxml")
    for block in _main(soup).find_all(["div", "section", "p", "dl", "table", "dd", "td"]):
        if dice.random() < 0.3:
            inner = soup.new_tag("div" if block.name != "p" else "span")
            inner.extend(list(block.contents))
            block.append(inner)
        if block.name in ("dl", "table", "section") and dice.random() < 0.3:
            block.wrap(soup.new_tag("div"))
    return str(soup)


def _copied(html: str, source: str, frame: str, dice: random.Random) -> str:
    soup, copy = BeautifulSoup(html, "lxml"), BeautifulSoup(source, "lxml")
    content = _main(copy)
    heading = content.find("h1")
    assert heading is not None and soup.body is not None
    heading.name = "h3"
    content.name = frame
    soup.body.insert(0 if dice.random() < 0.3 else len(soup.body.contents), content)
    return str(soup)


def copied_into_footer(html: str, other: str, dice: random.Random) -> str:
    """The page's footer says all once more."""
    return _copied(html, html, "footer", dice)


def copied_into_aside(html: str, other: str, dice: random.Random) -> str:
    """What stands beside the page says all once more."""
    return _copied(html, html, "aside", dice)


def copied_into_menu(html: str, other: str, dice: random.Random) -> str:
    """The page's menu says all once more."""
    return _copied(html, html, "nav", dice)


def another_in_footer(html: str, other: str, dice: random.Random) -> str:
    """The page's footer tells of another company."""
    return _copied(html, other, "footer", dice)


def another_in_aside(html: str, other: str, dice: random.Random) -> str:
    """What stands beside the page tells of another company."""
    return _copied(html, other, "aside", dice)


def another_below(html: str, other: str, dice: random.Random) -> str:
    """A plain block of the page, of no kind, tells of another company."""
    return _copied(html, other, "div", dice)


def classes_dropped(html: str, other: str, dice: random.Random) -> str:
    """No element has a class."""
    soup = BeautifulSoup(html, "lxml")
    for tag in soup.find_all(True):
        del tag["class"]
    return str(soup)


def classes_of_their_own(html: str, other: str, dice: random.Random) -> str:
    """Each element has a class that no other one has."""
    soup = BeautifulSoup(html, "lxml")
    for number, tag in enumerate(soup.find_all(True)):
        tag["class"] = f"c{number}"
    return str(soup)


MUTATIONS: tuple[Mutation, ...] = (
    *(labels_renamed, rows_reordered, texts_wrapped, blocks_wrapped, classes_dropped, classes_of_their_own),
    *(copied_into_footer, copied_into_aside, copied_into_menu),
    *(another_in_footer, another_in_aside, another_below),
)
