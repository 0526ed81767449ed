"""Signs of blocks about other companies or the site: a title that names one, cards with a title each, a copyright."""

import re
from functools import lru_cache

from pipeline.transform.html.idno_texts import idno_in_link, stated_idno
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node
from pipeline.transform.source_text import comparison_key, fold
from pipeline.transform.vocabulary.labels import field_of, label_in_line

_COPYRIGHT = re.compile(r"©|\(c\) ?20\d\d|copyright|toate drepturile|все права|all rights")
_COPYRIGHT_LENGTH = 120
MIN_REPEATS = 2
"""How many blocks with the same label make a list of companies."""
_FORM = re.compile(
    r"(?<=\w[ ”\"»)])(?:SRL|S\.R\.L\.?|SA|S\.A\.|ÎI|Î\.I\.|II|ÎCS|ICS|Î\.C\.S\.?|GȚ|GŢ|GT|LLC|Ltd|ООО|АО|ИП)$"
    r"|^(?:SRL|S\.R\.L\.|SA|S\.A\.|ÎI|Î\.I\.|II|ÎCS|ICS|Î\.C\.S\.|SC|S\.C\.|GȚ|GŢ|GT|ООО|АО|ИП)(?= [„“«\"\w])"
)
"""A legal form at the end or the beginning of a company's name."""


_SIGN_TAGS = HEADINGS | {TEXT, "a"}


def is_foreign_sign(node: Node, heading: Node, idno: str) -> bool:
    """Tell whether a node mentions the site (a copyright), the IDNO of another company, or its name as a title.

        <p>© 2026 openmoney</p> <p>IDNO: 1020999009997</p>
        <a href="/companies/1020999009997">ALTA</a> <h3>BETA SRL</h3>

    → True for both texts, for `a` and for `h3`. `heading` and `idno` are those of the page's company.
    """
    if node.tag not in _SIGN_TAGS:
        return False
    if node.tag == TEXT:
        return is_copyright(node.text) or stated_idno(node.text) not in (None, idno)
    if node.tag == "a":
        return idno_in_link(node) not in (None, idno)
    return node is not heading and names_other_company(node.text, heading.text)


def names_other_company(title: str, name: str) -> bool:
    """Tell whether a title is the name of a company with its legal form, and does not contain `name`.

    "BETA SRL", "PLOPENA AGRO" → True; "Contacte PLOPENA AGRO SRL", "PLOPENA AGRO" → False
    """
    if _FORM.search(title) is None:
        return False
    return comparison_key(_FORM.sub(" ", name)) not in comparison_key(title)


def titled_alike(blocks: list[tuple[Node, str]]) -> list[Node]:
    """Return the blocks that describe one company each: blocks beside each other with the same label and other titles.

        <div class="card"><b>ALTA</b><p>Statut: Lichidată</p></div>
        <div class="card"><b>BETA</b><p>Statut: Activă</p></div>

    → both `div`; `blocks` has a block once for each of its labels, with the text of the label
    """
    kin: dict[tuple[int, tuple[str, str], str], list[Node]] = {}
    for block, caption in blocks:
        if block.parent is not None:
            kin.setdefault((block.parent.start, block.shape, caption), []).append(block)
    found: list[Node] = []
    for group in kin.values():
        titles = [next(block.leaves()).text for block in group]
        if len(group) >= MIN_REPEATS and len(set(titles)) == len(titles):
            is_title = [field_of(text) is None and label_in_line(text) is None for text in titles]
            found += group if all(is_title) else ()
    return found


@lru_cache(maxsize=8192)
def is_copyright(text: str) -> bool:
    """Tell whether a text is the site's copyright notice: "© 2026 openmoney"."""
    return len(text) <= _COPYRIGHT_LENGTH and _COPYRIGHT.search(fold(text)) is not None


def smallest_around(nodes: list[Node]) -> Node:
    """Return the smallest element around all nodes."""
    first, *others = nodes
    return next(parent for parent in first.ancestors() if all(parent.contains(other) for other in others))
