"""Which labels of a page speak of its company, and which of other companies or of the site itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile

from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, TEXT, Node, PageTree
from pipeline.transform.source_text import fold, parse_date
from pipeline.transform.vocabulary.field import ACTIVITY_FIELDS, FIGURES, PARTY_FIELDS, SIDE_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of
from pipeline.transform.vocabulary.terms import labelled_status_of, legal_form_of
from warehouse.idno import IDNO_LENGTH, InvalidIdno, parse_idno

IDNO_TEXT = re.compile(r"(?<![0-9])[0-9]{13}(?![0-9])")
_SINGLE_FIELDS = (Field.LEGAL_FORM, Field.STATUS, Field.REGISTERED_ON, Field.ADDRESS)
_COPYRIGHT = re.compile(r"©|\(c\) ?20\d\d|copyright|toate drepturile|все права|all rights")
_COPYRIGHT_LENGTH = 120
_COMPANYS = re.compile(
    r"activit|licen[tcs]|financ|beneficia|indicatori|деятельн|лиценз|финанс|отчетн|бенефициар|показател"
)
_MANY = 2
_UNRANKED = FIGURES | {Field.STATEMENTS, Field.OTHER, Field.NAME, Field.ELSEWHERE}


@dataclass(frozen=True)
class Region:
    """A page seen from the company `idno`: its heading, its labels, and where each of them belongs."""

    page: PageTree
    heading: Node
    idno: str
    found: Sequence[LabelledValue]

    def accepted(self) -> list[LabelledValue]:
        """Return the labels that speak of the company.

        Where a field stands among certain facts of the company, the same field further off is left out.
        """
        ranked = [(rank, hit) for hit in self.found if (rank := self._rank(hit)) is not None]
        best = {
            hit.field: min(rank for rank, other in ranked if other.field is hit.field) for _, hit in ranked
        }
        nearest = [hit for rank, hit in ranked if rank == best[hit.field]]
        return [hit for _, hit in ranked if hit in nearest or any(_is_twin(hit, other) for other in nearest)]

    def figures(self) -> list[LabelledValue]:
        """Return the labels of key figures below the heading; no frame of a page holds statements of its own."""
        return [
            hit
            for hit in self.found
            if hit.field in FIGURES
            and hit.place.start > self.heading.end
            and not self._is_outside_main(hit.place)
            and not self.is_elsewhere(hit.place)
        ]

    def is_elsewhere(self, node: Node) -> bool:
        """Tell whether a node stands in a block about another company or the site."""
        return any(zone.holds(node) for zone in self._foreign)

    @cached_property
    def anchors(self) -> list[LabelledValue]:
        """The certain facts of the company, which no frame of a page shows."""
        certain = [
            hit for hit in self.found if _is_certain(hit, self.idno) and not self.is_elsewhere(hit.place)
        ]
        return [hit for hit in certain if hit.place in self._own or self._is_near(hit.place)]

    def _is_near(self, node: Node) -> bool:
        """Tell whether a node comes after the heading, or before it together with the IDNO."""
        if self._is_outside_main(node):
            return False
        trunk = next(parent for parent in node.ancestors() if parent.holds(self.heading))
        branch = next(child for child in trunk.children if child.holds(node))
        return node.start > self.heading.start or any(branch.holds(own) for own in self._own)

    @cached_property
    def _own(self) -> list[Node]:
        """The labels of the company's own IDNO."""
        return [
            hit.place for hit in self.found if hit.field is Field.IDNO and idno_in(hit.value) == self.idno
        ]

    @cached_property
    def _foreign(self) -> list[Node]:
        """The largest blocks that hold a sign of another company (or of the site) and nothing of this one."""
        texts = (*PARTY_FIELDS, Field.ADDRESS)  # parties may be companies, and addresses hold any text
        values = [node for hit in self.found if hit.field in texts for node in hit.nodes]
        signs = [node for node in self.page.root.descendants() if self._is_foreign_sign(node)]
        signs = [node for node in signs if not any(value.holds(node) for value in values)]
        for hit in self.found:
            if hit.field is Field.ELSEWHERE:
                signs += [hit.place, *hit.place.after(), *hit.nodes]
        zones = [self._largest_without_company(sign) for sign in signs]
        return zones + self._repeated(zones)

    def _repeated(self, known: list[Node]) -> list[Node]:
        """The blocks, away from the company's IDNO, that say one label again and again: a list of others."""
        zones: dict[tuple[int, str], list[LabelledValue]] = {}
        for hit in self.found:
            if hit.field in _SINGLE_FIELDS and not any(zone.holds(hit.place) for zone in known):
                zone = self._largest_without_company(hit.place)
                zones.setdefault((zone.start, fold(hit.place.text.partition(":")[0])), []).append(hit)
        many = [hits for hits in zones.values() if len(hits) >= _MANY]
        return [_smallest_around([hit.place for hit in hits]) for hits in many]

    def _is_foreign_sign(self, node: Node) -> bool:
        if node.tag == TEXT:
            return _is_copyright(node.text) or _stated_idno(node.text) not in (None, self.idno)
        return idno_in_link(node) not in (None, self.idno)

    def _largest_without_company(self, node: Node) -> Node:
        for parent in node.ancestors():
            if parent.holds(self.heading) or any(parent.holds(own) for own in self._own):
                break
            node = parent
        return node

    def _rank(self, hit: LabelledValue) -> int | None:
        """How near a label is to the company: 0 among its certain facts, 1 in a section of it, None elsewhere."""
        if hit.field in _UNRANKED or self.is_elsewhere(hit.place):
            return None
        if any(hit is anchor for anchor in self.anchors):
            return 0
        if self._is_outside_main(hit.place):
            return None
        trunk, branch = self._fork(hit.place)
        points = [anchor.place for anchor in self.anchors]
        certain = [child for child in trunk.children if any(child.holds(point) for point in points)]
        if any(self._looks_like(branch, child) for child in certain):
            return 0
        if branch.start < self.heading.start:
            return None
        if certain and branch.start < certain[-1].start:
            return 0 if certain[0].start < branch.start else 1
        return 1 if self._is_section(hit, trunk, branch, certain) else None

    def _is_outside_main(self, node: Node) -> bool:
        main = self.heading.within("main")
        return main is not None and not main.holds(node)

    def _fork(self, node: Node) -> tuple[Node, Node]:
        """The smallest element that holds the node and a certain point of the company, and its child with the node."""
        points = [self.heading, *(anchor.place for anchor in self.anchors)]
        branch = node
        for parent in node.ancestors():
            if any(parent.holds(point) for point in points):
                return parent, branch
            branch = parent
        return branch, branch

    def _looks_like(self, branch: Node, child: Node) -> bool:
        """Rows of one kind: each a single field, in the manner of one that is certain."""
        if child.holds(self.heading):
            return False
        if branch.tag == TEXT:
            return child.tag in (TEXT, "b", "strong", "span")
        return branch.shape == child.shape and _labels_in(self.found, branch) <= 1

    def _is_section(self, hit: LabelledValue, trunk: Node, branch: Node, certain: list[Node]) -> bool:
        """Tell whether a branch after the company's certain facts is one more section of its page."""
        if self._is_followed_by_company(trunk, branch):
            return True
        if self._holds_one_list_of_founders(branch):
            return True
        opens = any(branch.start <= other.place.start and _opens(branch, other.place) for other in self.found)
        if hit.field in (Field.FOUNDERS, *ACTIVITY_FIELDS):
            return opens or self._leaves_top_outside(trunk) or self.heading.within("main") is not None
        if hit.field is Field.ADMINISTRATORS and hit.place.tag in HEADINGS:
            return True
        founders = [other.place for other in self.found if other.field is Field.FOUNDERS]
        kin = [child for child in trunk.children if any(child.holds(place) for place in founders)] + certain
        kin = [child for child in kin if not child.holds(self.heading) and not self.is_elsewhere(child)]
        if opens and any(branch.shape == child.shape for child in kin):
            return True
        return opens and (self._leaves_top_outside(trunk) or self.heading.within("main") is not None)

    def _holds_one_list_of_founders(self, branch: Node) -> bool:
        lists = [hit for hit in self.found if hit.field is Field.FOUNDERS and branch.holds(hit.place)]
        return len(lists) == 1 and branch is not lists[0].place

    def _is_followed_by_company(self, trunk: Node, branch: Node) -> bool:
        """Founders, activities and statements stand on no page's footer: what goes before them is the company's."""
        own = (Field.FOUNDERS, *SIDE_FIELDS)
        later = [
            hit
            for hit in self.found
            if hit.field in own and hit.place.start > branch.end and (_is_heading(hit) or _is_companys(hit))
        ]
        return any(trunk.holds(hit.place) and not self.is_elsewhere(hit.place) for hit in later)

    def _leaves_top_outside(self, trunk: Node) -> bool:
        """A container that leaves the page's top outside leaves its bottom outside as well."""
        leaves = list(self.page.root.leaves())
        before = [leaf for leaf in leaves if trunk.start < leaf.start < self.heading.start]
        is_led = all(
            leaf.within("a")
            or not leaf.text.strip(" /›»>|·")
            or leaf.text == self.idno
            or self._is_in_path(leaf, trunk)
            for leaf in before
        )
        return is_led and bool(leaves) and leaves[0].start < trunk.start

    def _is_in_path(self, leaf: Node, trunk: Node) -> bool:
        """The page's path ("Acasă / Companii / NUME") ends with the name."""
        around = takewhile(lambda node: node is not trunk, (leaf, *leaf.ancestors()))
        return any(node.text.endswith(self.heading.text) for node in around)


@lru_cache(maxsize=8192)
def _is_copyright(text: str) -> bool:
    return len(text) <= _COPYRIGHT_LENGTH and _COPYRIGHT.search(fold(text)) is not None


def _stated_idno(text: str) -> str | None:
    """The IDNO that a text is, or gives after its label."""
    if not text[-1:].isdigit():
        return None
    before, number = text[:-IDNO_LENGTH].strip(" :：№#–—-"), text[-IDNO_LENGTH:]
    return idno_in(number) if not before or field_of(before) is Field.IDNO else None


def _smallest_around(nodes: list[Node]) -> Node:
    first, *others = nodes
    return next(parent for parent in first.ancestors() if all(parent.holds(other) for other in others))


def _opens(branch: Node, place: Node) -> bool:
    return branch is place or next(branch.leaves(), None) is next(place.leaves(), None)


def _is_heading(hit: LabelledValue) -> bool:
    return hit.text is None and (hit.field is Field.FOUNDERS or hit.place.tag in HEADINGS)


def _is_twin(hit: LabelledValue, other: LabelledValue) -> bool:
    """Tell whether two lists of founders stand side by side: persons in one, companies in the other."""
    return hit.field is Field.FOUNDERS and other.field is hit.field and are_side_by_side(hit, other)


def are_side_by_side(hit: LabelledValue, other: LabelledValue) -> bool:
    """Tell whether two labels stand in sections of one kind, one beside the other."""
    section, other_section = hit.place.parent, other.place.parent
    if section is None or other_section is None or hit.place.shape != other.place.shape:
        return False
    return section.parent is other_section.parent


def _is_companys(hit: LabelledValue) -> bool:
    """Tell whether a label announces what only a company has, and something stands beside it."""
    if hit.text is not None or _COMPANYS.search(fold(hit.place.text)) is None:
        return False
    return any(sibling.text for sibling in hit.place.after())


def _labels_in(found: Sequence[LabelledValue], node: Node) -> int:
    return sum(1 for hit in found if node.holds(hit.place))


def _is_certain(hit: LabelledValue, idno: str) -> bool:
    """A fact that no frame of a page shows: this IDNO, a known legal form, a status, a date of registration."""
    match hit.field:
        case Field.IDNO:
            return idno_in(hit.value) == idno
        case Field.LEGAL_FORM:
            return legal_form_of(hit.value) is not None
        case Field.STATUS:
            return labelled_status_of(hit.value) is not None
        case Field.REGISTERED_ON:
            return parse_date(hit.value) is not None
        case _:
            return False


def idno_in(text: str) -> str | None:
    """Return the valid IDNO that a text is, else None."""
    match = IDNO_TEXT.fullmatch(text.strip(" :."))
    try:
        return parse_idno(match[0]) if match else None
    except InvalidIdno:
        return None


def idno_in_link(node: Node) -> str | None:
    """Return the valid IDNO that a link leads to, None if the node is no such link."""
    match = IDNO_TEXT.search(node.attributes.get("href", "")) if node.tag == "a" else None
    return idno_in(match[0]) if match else None
