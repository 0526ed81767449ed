"""The choice of the heading that most likely names the company, if a page has several."""

from bs4.element import Tag

from pipeline.transform.html.parser import PageIndex
from pipeline.transform.html.visibility import is_frame, is_hidden
from pipeline.transform.source_text import collapse


def company_heading(index: PageIndex, title: str, *, has_look: bool) -> Tag | None:
    """Return the visible `h1` that most likely names the company. Prefer one in `main`; take one in a frame last.

        <header><h1><a href="/">openmoney</a></h1></header>
        <main><h1>PLOPENA AGRO</h1></main>

    → the second. If a page has no `h1`, elements with `role="heading" aria-level="1"` are used instead.
    """
    headings = index.headings or index.headings_by_role
    shown = [
        tag
        for tag in headings
        if collapse(tag.get_text())
        and not any(is_hidden(around, has_look=has_look) for around in (tag, *tag.parents))
    ]
    return (
        min(shown, key=lambda tag: _heading_rank(tag, title)) if len(shown) > 1 else next(iter(shown), None)
    )


def _heading_rank(heading: Tag, title: str) -> tuple[int, bool, bool]:
    """Return a sort key for headings; the lowest one most likely names the company.

    It compares the heading's place, then whether it is a link, then whether the page's title starts with its text.
    """
    in_main = heading.find_parent(["main", "article"]) is not None
    in_frame = heading.find_parent(is_frame) is not None
    is_link = heading.find_parent("a") is not None or heading.find("a", href="/") is not None
    return (
        0 if in_main else 2 if in_frame else 1,
        is_link,
        not title.startswith(collapse(heading.get_text())[:20]),
    )
