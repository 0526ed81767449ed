"""Mutations of a rendered page that keep the facts of its company true and add no others."""

import random
from collections import defaultdict
from collections.abc import Callable

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from pipeline.transform.vocabulary.labels import field_of, label_in_line

Mutation = Callable[[str, str, random.Random], str]
"""Returns a mutated page from the page, the page of another company, and a random generator."""

_UNKNOWN = ("Câmp", "Rubrică", "Поле", "Свойство", "Item", "Entry")
_ROWS = ("tr", "p", "section", "li", "div")


def _company_block(soup: BeautifulSoup) -> Tag:
    """Return the block with the company's heading."""
    heading = soup.find("h1")
    assert heading is not None and heading.parent is not None
    return heading.parent


def _shown_texts(tag: Tag) -> list[NavigableString]:
    return [text for text in tag.find_all(string=True) if text.strip()]


def rename_labels(html: str, other: str, rng: random.Random) -> str:
    """Replace half of the labels with unknown ones."""
    soup = BeautifulSoup(html, "lxml")
    for text in _shown_texts(_company_block(soup)):
        line = label_in_line(str(text))
        name = f"{rng.choice(_UNKNOWN)} {rng.choice('ABCDEF')}"
        if rng.random() < 0.5:
            continue
        if field_of(str(text)):
            text.replace_with(f"{name}:" if str(text).rstrip().endswith(":") else name)
        elif line:
            text.replace_with(f"{name}: {line[1]}")
    return str(soup)


def reorder_rows(html: str, other: str, rng: random.Random) -> str:
    """Shuffle rows, cards and sections of one kind."""
    soup = BeautifulSoup(html, "lxml")
    main = _company_block(soup)
    for parent in [main, *main.find_all(True)]:
        kinds: dict[tuple[str, str], list[Tag]] = defaultdict(list)
        for child in parent.find_all(_ROWS, recursive=False):
            kinds[child.name, str(child.get("class"))].append(child)
        for alike in kinds.values():
            # Where labels and values alternate, shuffling would put a value below another label.
            if len(alike) < len([child for child in parent.children if isinstance(child, Tag)]):
                continue
            places = [soup.new_tag("template") for _ in alike]
            for child, place in zip(alike, places, strict=True):
                child.replace_with(place)
            for child, place in zip(rng.sample(alike, len(alike)), places, strict=True):
                place.replace_with(child)
    return str(soup)


def wrap_texts(html: str, other: str, rng: random.Random) -> str:
    """Wrap each text in an element."""
    soup = BeautifulSoup(html, "lxml")
    for text in _shown_texts(_company_block(soup)):
        text.wrap(soup.new_tag("span"))
    return str(soup)


def wrap_blocks(html: str, other: str, rng: random.Random) -> str:
    """Wrap the content of some blocks, and some blocks themselves, in an element."""
    soup = BeautifulSoup(html, "lxml")
    for block in _company_block(soup).find_all(["div", "section", "p", "dl", "table", "dd", "td"]):
        if rng.random() < 0.3:
            inner = soup.new_tag("div" if block.name != "p" else "span")
            inner.extend(list(block.contents))
            block.append(inner)
        if block.name in ("dl", "table", "section") and rng.random() < 0.3:
            block.wrap(soup.new_tag("div"))
    return str(soup)


def _insert_copy(html: str, source: str, frame: str, rng: random.Random) -> str:
    soup, copy = BeautifulSoup(html, "lxml"), BeautifulSoup(source, "lxml")
    content = _company_block(copy)
    heading = content.find("h1")
    assert heading is not None and soup.body is not None
    heading.name = "h3"
    content.name = frame
    soup.body.insert(0 if rng.random() < 0.3 else len(soup.body.contents), content)
    return str(soup)


def copy_into_footer(html: str, other: str, rng: random.Random) -> str:
    """Repeat the content of the page in its footer."""
    return _insert_copy(html, html, "footer", rng)


def copy_into_aside(html: str, other: str, rng: random.Random) -> str:
    """Repeat the content of the page in an aside."""
    return _insert_copy(html, html, "aside", rng)


def copy_into_menu(html: str, other: str, rng: random.Random) -> str:
    """Repeat the content of the page in its menu."""
    return _insert_copy(html, html, "nav", rng)


def show_other_in_footer(html: str, other: str, rng: random.Random) -> str:
    """Show another company in the footer of the page."""
    return _insert_copy(html, other, "footer", rng)


def show_other_in_aside(html: str, other: str, rng: random.Random) -> str:
    """Show another company in an aside of the page."""
    return _insert_copy(html, other, "aside", rng)


def show_other_below(html: str, other: str, rng: random.Random) -> str:
    """Show another company in a plain block of the page."""
    return _insert_copy(html, other, "div", rng)


def drop_classes(html: str, other: str, rng: random.Random) -> str:
    """Remove all classes."""
    soup = BeautifulSoup(html, "lxml")
    for tag in soup.find_all(True):
        del tag["class"]
    return str(soup)


def make_classes_unique(html: str, other: str, rng: random.Random) -> str:
    """Give each element a class that no other element has."""
    soup = BeautifulSoup(html, "lxml")
    for number, tag in enumerate(soup.find_all(True)):
        tag["class"] = f"c{number}"
    return str(soup)


MUTATIONS: tuple[Mutation, ...] = (
    *(rename_labels, reorder_rows, wrap_texts, wrap_blocks, drop_classes, make_classes_unique),
    *(copy_into_footer, copy_into_aside, copy_into_menu),
    *(show_other_in_footer, show_other_in_aside, show_other_below),
)
