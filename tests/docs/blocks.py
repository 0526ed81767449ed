"""The blocks of code in a page of the docs."""

import re
from textwrap import dedent

from stack.home import PROJECT

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.M | re.S)


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a language in the order of the page, without the indent of the tab that they are in."""
    text = (PROJECT / "docs" / page).read_text()
    found = [dedent(match["code"]) for match in _FENCE.finditer(text) if match["language"] == language]
    assert found, f"no {language} in {page}"
    return found
