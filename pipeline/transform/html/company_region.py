"""Search for the part of a page that describes its company, not other companies or the site itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from pipeline.transform.html.idno_texts import idno_in
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.labelled_value import are_side_by_side
from pipeline.transform.html.other_companies import (
    MIN_REPEATS,
    is_foreign_sign,
    smallest_around,
    titled_alike,
)
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node, PageTree
from pipeline.transform.html.positions import NodePoints, NodeSpans
from pipeline.transform.source_text import fold, parse_date
from pipeline.transform.status_text import read_status
from pipeline.transform.vocabulary.field import (
    ACTIVITY_FIELDS,
    FIGURE_FIELDS,
    PARTY_FIELDS,
    SIDE_FIELDS,
    Field,
)
from pipeline.transform.vocabulary.terms import legal_form_of

_SINGLE_FIELDS = (Field.LEGAL_FORM, Field.STATUS, Field.REGISTERED_ON, Field.ADDRESS)
_COMPANY_SECTION = re.compile(
    r"activit|licen[tcs]|financ|beneficia|indicatori|деятельн|лиценз|финанс|отчетн|бенефициар|показател"
)
_UNRANKED = FIGURE_FIELDS | {Field.STATEMENTS, Field.OTHER, Field.NAME, Field.ELSEWHERE, Field.HISTORY}


@dataclass(frozen=True)
class CompanyRegion:
    """A page with its heading and its labels (`hits`); decides which labels describe the company `idno`.

    The "frame" of a page is what the site shows on all pages: header, menu, footer. A "certain fact" is of a kind that
    no frame shows, such as the company's IDNO. The label of a certain fact is an anchor. Whether any other label counts
    depends on where it is in relation to the anchors.
    """

    page: PageTree
    heading: Node
    idno: str
    hits: Sequence[LabelledValue]

    def company_hits(self) -> list[LabelledValue]:
        """Return the labels that describe the company.

        If a field has a label next to certain facts of the company, labels of the same field further away are dropped:

            <main><h1>PLOPENA AGRO</h1><p>IDNO: 1020999000019</p><p>Adresa: str. Pilda, 1</p></main>
            <footer><p>Adresa: str. Operatorului, 5</p></footer>

        → the labels of the IDNO and of the first address
        """
        ranked = [(rank, hit) for hit in self.hits if (rank := self._rank(hit)) is not None]
        best: dict[Field, int] = {}
        for rank, hit in ranked:
            best[hit.field] = min(rank, best.get(hit.field, rank))
        nearest = [hit for rank, hit in ranked if rank == best[hit.field]]
        return [
            hit
            for rank, hit in ranked
            if rank == best[hit.field] or any(_is_twin(hit, other) for other in nearest)
        ]

    def figure_hits(self) -> list[LabelledValue]:
        """Return the labels of key figures below the heading. The frame of a page never contains key figures.

            <h1>PLOPENA AGRO</h1> …
            <h2>Situații financiare, 2024</h2><p>Total active: 5 000 MDL</p>

        → the label "Total active"
        """
        return [
            hit
            for hit in self.hits
            if hit.field in FIGURE_FIELDS
            and hit.label.start > self.heading.end
            and not self._is_outside_main(hit.label)
            and not self.is_foreign(hit.label)
        ]

    def is_foreign(self, node: Node) -> bool:
        """Tell whether a node is in a block about another company or the site.

            <h3>Companii similare</h3>
            <div><b>ALTA</b><p>Adresa: str. Alta, 1</p></div>

        → True for both lines
        """
        return self._foreign_blocks.contain(node)

    @cached_property
    def anchors(self) -> list[LabelledValue]:
        """The labels of the company's certain facts.

            <h1>PLOPENA AGRO</h1>
            <p>IDNO: 1020999000019</p><p>Statut: Activă</p>

        → both labels
        """
        certain = [hit for hit in self.hits if _is_certain(hit, self.idno) and not self.is_foreign(hit.label)]
        return [hit for hit in certain if hit.label in self._own_idno_labels or self._is_near(hit.label)]

    @cached_property
    def _anchor_points(self) -> NodePoints:
        return NodePoints(anchor.label for anchor in self.anchors)

    @cached_property
    def _own_points(self) -> NodePoints:
        return NodePoints([self.heading, *self._own_idno_labels])

    def _is_near(self, node: Node) -> bool:
        """Tell whether a node comes after the heading, or comes before it in the same block as the company's IDNO."""
        if self._is_outside_main(node):
            return False
        trunk = next(parent for parent in node.ancestors() if parent.contains(self.heading))
        branch = next(child for child in trunk.children if child.contains(node))
        return node.start > self.heading.start or any(map(branch.contains, self._own_idno_labels))

    @cached_property
    def _own_idno_labels(self) -> list[Node]:
        """The labels of the company's own IDNO."""
        return [hit.label for hit in self.hits if hit.field is Field.IDNO and idno_in(hit.value) == self.idno]

    @cached_property
    def _foreign_blocks(self) -> NodeSpans:
        """The largest blocks that mention another company or the site, and contain nothing of this company.

            <main><h1>PLOPENA AGRO</h1><p>IDNO: 1020999000019</p></main>
            <div><a href="/companies/1020999009997">ALTA</a><p>Statut: Lichidată</p></div>
            <div>© 2026 openmoney <p>Adresa: str. Operatorului, 5</p></div>

        → both `div`
        """
        texts = (*PARTY_FIELDS, Field.ADDRESS)  # parties may be companies; an address may be any text
        values = NodeSpans(node for hit in self.hits if hit.field in texts for node in hit.nodes)
        signs = [
            node
            for node in self.page.root.descendants()
            if is_foreign_sign(node, self.heading, self.idno) and not values.contain(node)
        ]
        for hit in self.hits:
            if hit.field is Field.ELSEWHERE:
                signs += [hit.label, *hit.label.following_siblings(), *hit.nodes]
        blocks = [self._largest_without_company(sign) for sign in signs]
        return NodeSpans(blocks + self._repeating_blocks(NodeSpans(blocks)))

    def _repeating_blocks(self, known: NodeSpans) -> list[Node]:
        """Return the blocks that repeat a label and do not contain this company: they are lists of other companies.

            <div><p>Adresa: str. Alta, 1</p></div>
            <div><p>Adresa: str. Alta, 2</p></div>

        → the element around both
        """
        blocks: dict[tuple[int, str], list[LabelledValue]] = {}
        for hit in self.hits:
            if hit.field in _SINGLE_FIELDS and not known.contain(hit.label):
                block = self._largest_without_company(hit.label)
                caption = f"{hit.field} {fold(hit.caption.partition(':')[0])}"
                blocks.setdefault((block.start, caption), []).append(hit)
        many = [hits for hits in blocks.values() if len({hit.label.start for hit in hits}) >= MIN_REPEATS]
        around = [smallest_around([hit.label for hit in hits]) for hits in many]
        return around + titled_alike(
            [(self._largest_without_company(hits[0].label), caption) for (_, caption), hits in blocks.items()]
        )

    def _largest_without_company(self, node: Node) -> Node:
        """Return the largest element around a node that contains neither the heading nor the company's IDNO."""
        for parent in node.ancestors():
            if self._own_points.are_in(parent):
                break
            node = parent
        return node

    def _rank(self, hit: LabelledValue) -> int | None:
        """Return 0 for a label next to certain facts, 1 in another section about the company, None for other labels."""
        if hit.field in _UNRANKED or self.is_foreign(hit.label):
            return None
        if any(hit is anchor for anchor in self.anchors):
            return 0
        if self._is_outside_main(hit.label):
            return None
        trunk, branch = self._fork(hit.label)
        certain = [child for child in trunk.children if self._anchor_points.are_in(child)]
        if any(self._is_similar_row(branch, child) for child in certain):
            return 0
        if branch.start < self.heading.start:
            return None
        if certain and branch.start < certain[-1].start:
            return 0 if certain[0].start < branch.start else 1
        return 1 if self._is_company_section(hit, trunk, branch, certain) else None

    def _is_outside_main(self, node: Node) -> bool:
        """Tell whether the heading is inside `main` and a node is outside.

            <main><h1>PLOPENA AGRO</h1></main>
            <div><p>Adresa: str. Operatorului, 5</p></div>

        → True for the address
        """
        main = self.heading.ancestor("main")
        return main is not None and not main.contains(node)

    def _fork(self, node: Node) -> tuple[Node, Node]:
        """Return the smallest element that contains `node` and an anchor or the heading, and its child around `node`.

            <div><h1>PLOPENA AGRO</h1>
            <section><p>Adresa: str. Pilda, 1</p></section></div>

        → (div, section) for the address
        """
        branch = node
        for parent in node.ancestors():
            if parent.contains(self.heading) or self._anchor_points.are_in(parent):
                return parent, branch
            branch = parent
        return branch, branch

    def _is_similar_row(self, branch: Node, child: Node) -> bool:
        """Tell whether `branch` has at most one label and looks like `child`, the row of a certain fact.

            <p class="row">Statut: Activă</p>
            <p class="row">Adresa: str. Pilda, 1</p>

        → True for the second `p`
        """
        if child.contains(self.heading):
            return False
        if branch.tag == TEXT:
            return child.tag in (TEXT, "b", "strong", "span")
        return branch.shape == child.shape and sum(branch.contains(hit.label) for hit in self.hits) <= 1

    def _is_company_section(self, hit: LabelledValue, trunk: Node, branch: Node, certain: list[Node]) -> bool:
        """Tell whether a branch after the certain facts is a section about the company, not about the site or others.

            <h1>PLOPENA AGRO</h1><p>IDNO: 1020999000019</p>
            <section><h3>Administratori</h3><p>PROBARU VASILE</p></section>

        → True

        Args:
            hit: The label in question.
            trunk: The smallest element that contains the label and a certain fact.
            branch: The child of `trunk` with the label.
            certain: The children of `trunk` with certain facts.
        """
        if self._is_followed_by_company(trunk, branch):
            return True
        if self._holds_one_list_of_founders(branch):
            return True
        opens = any(
            branch.start <= other.label.start and _starts_with(branch, other.label) for other in self.hits
        )
        if hit.field in (Field.FOUNDERS, *ACTIVITY_FIELDS):
            return opens or self._excludes_page_top(trunk) or self.heading.ancestor("main") is not None
        if hit.field in (Field.ADMINISTRATORS, Field.PEOPLE) and hit.label.tag in (*HEADINGS, "tr"):
            return True
        cards = [child for child in certain if child.contains(self.heading)]
        if opens and branch.style and any(card.shape == branch.shape for card in cards):
            return True  # the list is in a card like that of the heading
        founders = [other.label for other in self.hits if other.field is Field.FOUNDERS]
        kin = [
            child for child in trunk.children if any(child.contains(label) for label in founders)
        ] + certain
        kin = [child for child in kin if not child.contains(self.heading) and not self.is_foreign(child)]
        if opens and any(branch.shape == child.shape for child in kin):
            return True
        return opens and (self._excludes_page_top(trunk) or self.heading.ancestor("main") is not None)

    def _holds_one_list_of_founders(self, branch: Node) -> bool:
        """Tell whether a branch contains exactly one label of founders, and something besides this label."""
        lists = [hit for hit in self.hits if hit.field is Field.FOUNDERS and branch.contains(hit.label)]
        return len(lists) == 1 and branch is not lists[0].label

    def _is_followed_by_company(self, trunk: Node, branch: Node) -> bool:
        """Tell whether founders, activities or statements follow. Then the branch is no footer: a footer comes last.

            <div><div>Administratori</div><p>PROBARU VASILE</p></div>
            <div><div>Date financiare</div><table>…</table></div>

        → True for the first `div`
        """
        own = (Field.FOUNDERS, *SIDE_FIELDS)
        later = [
            hit
            for hit in self.hits
            if hit.field in own
            and hit.label.start > branch.end
            and (_is_heading(hit) or _announces_company_section(hit))
        ]
        return any(trunk.contains(hit.label) and not self.is_foreign(hit.label) for hit in later)

    def _excludes_page_top(self, trunk: Node) -> bool:
        """Tell whether a container does not include the top of the page; then it does not include the footer either.

            <div>openmoney</div>
            <div><p>Acasă / Companii / PLOPENA AGRO</p><h1>PLOPENA AGRO</h1>…</div>

        → True for the second `div`: inside it, only links and the breadcrumb come before the heading
        """
        leaves = list(self.page.root.leaves())
        before = [leaf for leaf in leaves if trunk.start < leaf.start < self.heading.start]
        is_led = all(
            leaf.ancestor("a")
            or not leaf.text.strip(" /›»>|·")
            or leaf.text == self.idno
            or self._is_breadcrumb(leaf, trunk)
            for leaf in before
        )
        return is_led and bool(leaves) and leaves[0].start < trunk.start

    def _is_breadcrumb(self, leaf: Node, trunk: Node) -> bool:
        """Tell whether a text belongs to the breadcrumb, which ends with the company's name.

            <p>Acasă / Companii / PLOPENA AGRO</p>

        → True
        """
        around = takewhile(lambda node: node is not trunk, (leaf, *leaf.ancestors()))
        return any(node.text.endswith(self.heading.text) for node in around)


def _starts_with(branch: Node, label: Node) -> bool:
    """Tell whether a label is the first text of a branch."""
    return branch is label or next(branch.leaves(), None) is next(label.leaves(), None)


def _is_heading(hit: LabelledValue) -> bool:
    """Tell whether a label is a heading or announces founders, and the label's value is in another element."""
    return hit.text is None and (hit.field is Field.FOUNDERS or hit.label.tag in HEADINGS)


def _is_twin(hit: LabelledValue, other: LabelledValue) -> bool:
    """Tell whether two labels of founders are side by side, such as one for persons and one for companies.

        <section><h2>Fondatori – persoane fizice</h2>…</section>
        <section><h2>Fondatori – persoane juridice</h2>…</section>

    → True
    """
    return hit.field is Field.FOUNDERS and other.field is hit.field and are_side_by_side(hit, other)


def _announces_company_section(hit: LabelledValue) -> bool:
    """Tell whether a label is the title of a section that only a company's page has, with content next to the label.

        <div><div>Date financiare</div><table>…</table></div>

    → True
    """
    if hit.text is not None or _COMPANY_SECTION.search(fold(hit.label.text)) is None:
        return False
    return any(sibling.text for sibling in hit.label.following_siblings())


def _is_certain(hit: LabelledValue, idno: str) -> bool:
    """Tell whether a label states a certain fact: the IDNO `idno`, a known legal form, a status, a registration date.

        <p>IDNO: 1020999000019</p> <p>Statut: Activă</p>
        <p>Adresa: str. Operatorului, 5</p>

    → True for the first two, False for the address
    """
    match hit.field:
        case Field.IDNO:
            return idno_in(hit.value) == idno
        case Field.LEGAL_FORM:
            return legal_form_of(hit.value) is not None
        case Field.STATUS:
            status = read_status(hit.value)
            return status.value is not None or bool(status.remarks)
        case Field.REGISTERED_ON:
            return parse_date(hit.value) is not None
        case _:
            return False
