"""Code blocks in the pages of the documentation."""

import re
from textwrap import dedent

from stack.home import PROJECT

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.M | re.S)


def code_blocks(page: str, language: str) -> list[str]:
    """Return a page's code blocks in a language, in page order and without the indentation of a surrounding tab."""
    text = (PROJECT / "docs" / page).read_text()
    blocks = [dedent(match["code"]) for match in _FENCE.finditer(text) if match["language"] == language]
    assert blocks, f"{page} has no {language} block"
    return blocks
