"""Search for IDNOs in texts and links."""

from functools import lru_cache

from pipeline.transform.html.page_tree import IDNO_TEXT, Node
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import field_of
from warehouse.idno import IDNO_LENGTH, InvalidIdno, parse_idno


def idno_in(text: str) -> str | None:
    """Return the valid IDNO if the text consists of nothing else, else None."""
    match = IDNO_TEXT.fullmatch(text.strip(" :."))
    return _valid(match[0]) if match else None


@lru_cache(maxsize=1024)  # a page is searched for its company's IDNO several times
def _valid(number: str) -> str | None:
    try:
        return parse_idno(number)
    except InvalidIdno:
        return None


def idno_in_link(node: Node) -> str | None:
    """Return the valid IDNO in the target of a link, else None.

        <a href="/companies/1007998000019">ALFA FRUCT</a>

    → "1007998000019"
    """
    match = IDNO_TEXT.search(node.attributes.get("href", "")) if node.tag == "a" else None
    return idno_in(match[0]) if match else None


def stated_idno(text: str) -> str | None:
    """Return the IDNO if the text is an IDNO alone or an IDNO after its label; else None.

        <p>Cod fiscal: 1020999009997</p>

    → "1020999009997"
    """
    if not text[-1:].isdigit():
        return None
    before, number = text[:-IDNO_LENGTH].strip(" :：№#–—-"), text[-IDNO_LENGTH:]
    return idno_in(number) if not before or field_of(before) is Field.IDNO else None
