"""The proof that a page is a company's: the IDNO in the place of the page's own company."""

from collections.abc import Iterator, Sequence
from itertools import islice

from pipeline.transform.agreement import same_name
from pipeline.transform.html.company_region import CompanyRegion
from pipeline.transform.html.heading_name import title_starts
from pipeline.transform.html.idno_texts import idno_in, idno_in_link
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, IDNO_TEXT, TEXT, Node, PageTree
from pipeline.transform.source_text import comparison_key
from pipeline.transform.vocabulary.field import LIST_FIELDS, Field
from pipeline.transform.vocabulary.labels import label_in_line
from pipeline.transform.vocabulary.messages import is_generic_title
from pipeline.transform.vocabulary.names import has_legal_form, is_former_name
from pipeline.transform.vocabulary.terms import legal_form_of

_MAX_PLACES = 20
"""How many IDNOs are looked at closely; a company's page shows its own once or twice."""


def shown_idno(
    page: PageTree, hits: Sequence[LabelledValue], region: CompanyRegion | None, idno: str
) -> str | None:
    """Return the IDNO that the page shows for its company: after a label, or as a text of its own outside of links.

        <main><h1>PLOPENA AGRO</h1>
        <p>IDNO: 1020999000019</p></main>

    → "1020999000019". An IDNO in a list of founders or in a card of a list of companies is not that of the page.
    """
    labelled = [(hit, value) for hit in hits if hit.field is Field.IDNO and (value := idno_in(hit.value))]
    others = [
        (hit, value)
        for hit, value in labelled
        if value != idno and (region is None or not _is_not_about_page(region, hit))
    ]
    place = _own_place(page, hits, [hit.label for hit, value in labelled if value == idno], idno)
    if place is None:
        return others[0][1] if others else None
    # The IDNO of the site's operator stands before the heading or after the company's.
    start = page.heading.start if page.heading else 0
    return next((value for hit, value in others if start < hit.label.start < place.start), idno)


def _own_place(
    page: PageTree, hits: Sequence[LabelledValue], labels: Sequence[Node], idno: str
) -> Node | None:
    """Return where the page shows the IDNO as its company's: one of the labels, or else a text of its own."""
    for label in labels[:_MAX_PLACES]:
        if not _is_of_another(page, label, idno):
            return label
    texts = (leaf for leaf in page.root.leaves() if leaf.text == idno and leaf.ancestor("a") is None)
    return next(
        (leaf for leaf in islice(texts, _MAX_PLACES) if _is_in_own_place(leaf, page, hits, idno)), None
    )


def _is_in_own_place(leaf: Node, page: PageTree, hits: Sequence[LabelledValue], idno: str) -> bool:
    """Tell whether a text is the company's IDNO without a label, and not in a list of parties or of other companies."""
    if _is_of_another(page, leaf, idno):
        return False
    lists = [hit for hit in hits if hit.field in LIST_FIELDS or hit.field is Field.ELSEWHERE]
    if any(node.contains(leaf) for hit in lists for node in hit.nodes):
        return False
    others = (other for other in page.root.leaves() if other.text != idno and idno_in(other.text))
    return not any(_are_in_rows(leaf, other, page.heading) for other in islice(others, _MAX_PLACES))


def _are_in_rows(one: Node, other: Node, heading: Node | None) -> bool:
    """Tell whether two texts are in rows of the same shape, which do not contain the heading.

        <tr><td>NUCA VERDE SRL</td><td>1020999000019</td></tr>
        <tr><td>NUC DE AUR SRL</td><td>1020999009997</td></tr>

    → True for both IDNOs
    """
    trunk = next((node for node in one.ancestors() if node.contains(other)), None)
    if trunk is None:
        return False
    rows = [_child_around(trunk, one), _child_around(trunk, other)]
    has_heading = heading is not None and any(row.contains(heading) for row in rows)
    return rows[0].shape == rows[1].shape and not has_heading


def _child_around(trunk: Node, node: Node) -> Node:
    """Return the child of `trunk` that contains `node`."""
    return next(around for around in (node, *node.ancestors()) if around.parent is trunk)


def _is_of_another(page: PageTree, place: Node, idno: str) -> bool:
    """Tell whether an IDNO is in a block that is headed by the name of another company than the page.

        <h1>Companii din Orhei</h1>
        <article><h2>NUCA VERDE SRL</h2><p>IDNO: 1020999000019</p></article>

    → True
    """
    if place.tag != TEXT and place.ancestor("a") is not None:
        return True
    heading = page.heading
    if heading is None:
        return False
    own = (heading.text, *title_starts(page.title))
    is_general = is_generic_title(heading.text)
    return any(
        (is_link or not is_general) and not any(same_name(text, name) for text in own)
        for name, is_link in _names_above(heading, place, idno)
    )


def _names_above(heading: Node, place: Node, idno: str) -> Iterator[tuple[str, bool]]:
    """Yield the names at the beginning of the blocks around an IDNO, and whether each is a link to the company's page.

    Blocks that contain the heading are not searched.
    """
    for block in place.ancestors():
        if block.contains(heading):
            return
        first = next(block.leaves(), None)
        if first is None or first.start >= place.start:
            continue
        around = [first, *first.ancestors()]
        is_title = any(node.tag in HEADINGS for node in around if block.contains(node))
        link = next((node for node in around if node.tag == "a" and block.contains(node)), None)
        if link is not None and idno_in_link(link) == idno:
            yield link.text, True
        elif (is_title or _is_card(block)) and _names_company(first.text):
            yield first.text, False


def _is_card(block: Node) -> bool:
    """Tell whether a block with an IDNO has a sibling of the same shape with another IDNO."""
    own = set(IDNO_TEXT.findall(block.text))
    siblings = (*block.preceding_siblings(), *block.following_siblings())
    return any(
        sibling.shape == block.shape and set(IDNO_TEXT.findall(sibling.text)) - own for sibling in siblings
    )


def _names_company(text: str) -> bool:
    return (
        has_legal_form(text)
        and legal_form_of(text) is None
        and label_in_line(text) is None
        and not is_former_name(text)
    )


def _is_not_about_page(region: CompanyRegion, hit: LabelledValue) -> bool:
    """Tell whether an IDNO is not that of the page's company: it precedes the heading, or is in a link or a list.

        <ul><li><b>ALTA</b> <span>IDNO: 1020999009997</span></li>
        <li><b>ALFA FRUCT</b> <span>IDNO: 1007998000019</span></li></ul>

    → True for both
    """
    if hit.label.start < region.heading.start or hit.label.ancestor("a") is not None:
        return True
    # In a list of facts, the item with the IDNO contains nothing else. In a list of companies, it has other texts too.
    item = hit.label.ancestor("li")
    alone = (comparison_key(hit.label.text), comparison_key(f"{hit.label.text} {hit.value}"))
    return item is not None and comparison_key(item.text) not in alone
