"""Labels that nobody knows: texts that stand among the company's labels in their manner and are in no table."""

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.html.columns import is_cell, is_row
from pipeline.transform.html.company_region import Region
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.source_text import present
from pipeline.transform.vocabulary.labels import field_of, is_action, label_in_line

_LONGEST = 60
_LINE = re.compile(rf"([^:：]{{2,{_LONGEST}}}):\s*\S.*", re.DOTALL)
_PLAIN = re.compile(r"[^\W\d_][^:;@]*")


def unknown_labels(region: Region, accepted: Sequence[LabelledValue]) -> list[str]:
    """Return the labels in the company's region that are in no table."""
    values = [node for hit in (*accepted, *region.figures()) for node in hit.nodes]
    seen: set[tuple[int, tuple[str, str]]] = set()
    labels: list[str] = []
    for hit in accepted:
        group = _group(hit)
        if group is None or (group.start, hit.place.shape) in seen:
            continue
        seen.add((group.start, hit.place.shape))
        for peer, text in _peers(hit, group):
            is_of_company = not region.is_elsewhere(peer) and not any(value.holds(peer) for value in values)
            if is_of_company and _is_unknown(text):
                labels.append(text.rstrip(" :："))
    return labels


def _group(hit: LabelledValue) -> Node | None:
    """What holds the labels of a hit's kind: the list, the table, or what its row stands in."""
    place = hit.place
    if place.tag == "dt":
        return place.within("dl")
    if is_cell(place):
        return place.within("table") or (place.parent.parent if place.parent else None)
    if hit.text is not None:
        return place.parent.parent if place.parent is not None else None
    if place.parent is None:
        return None
    return place.parent if _is_flat(hit) else place.parent.parent


def _is_flat(hit: LabelledValue) -> bool:
    """Tell whether labels and values take turns in one element, rather than that each has an element of its own."""
    parent = hit.place.parent
    return parent is not None and sum(1 for child in parent.children if child.shape == hit.place.shape) > 1


def _peers(hit: LabelledValue, group: Node) -> Iterator[tuple[Node, str]]:
    """Yield what stands where labels of the hit's kind stand."""
    place = hit.place
    if place.tag == "dt":
        yield from ((node, node.text) for node in group.descendants() if node.tag == "dt")
    elif is_cell(place):
        rows = [
            [cell for cell in row.children if is_cell(cell)] for row in group.descendants() if is_row(row)
        ]
        yield from (
            (row[0], row[0].text)
            for row in rows
            if len(row) > 1 and row[0].tag == place.tag and row[1].tag == "td"
        )
    elif hit.text is not None:
        shape = place.parent.shape if place.parent is not None else None
        lines = (child for child in group.children if child.shape == shape and child.children)
        first = ((child, child.children[0].text) for child in lines)
        yield from ((child, match[1]) for child, text in first if (match := _LINE.fullmatch(text)))
    elif _is_flat(hit):
        if not any(node.shape == place.shape for node in hit.nodes):
            yield from ((node, node.text) for node in group.children if node.shape == place.shape)
    elif place.tag != TEXT and place.parent is not None:
        rows_alike = (child for child in group.children if child.shape == place.parent.shape)
        heads = (row.children[0] for row in rows_alike if len(row.children) > 1)
        yield from ((head, head.text) for head in heads if head.shape == place.shape)


def _is_unknown(text: str) -> bool:
    label = text.rstrip(" :：")
    return (
        len(label) <= _LONGEST
        and present(label) is not None
        and _PLAIN.fullmatch(label) is not None
        and field_of(label) is None
        and not is_action(label)
        and label_in_line(text) is None
    )
