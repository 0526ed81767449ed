"""Search for unknown labels: texts that are in the place of a label but not in the vocabulary."""

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.html.columns import is_cell, is_row
from pipeline.transform.html.company_region import CompanyRegion
from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.html.positions import NodeSpans
from pipeline.transform.source_text import text_or_none
from pipeline.transform.vocabulary.labels import field_of, is_action, label_in_line

_MAX_LENGTH = 60
_LINE = re.compile(rf"([^:：]{{2,{_MAX_LENGTH}}}):\s*\S.*", re.DOTALL)
_PLAIN = re.compile(r"[^\W\d_][^:;@]*")


def unknown_labels(region: CompanyRegion, hits: Sequence[LabelledValue]) -> list[str]:
    """Return the labels in the company's region that are not in the vocabulary.

        <dl><dt>Statut</dt><dd>Activă</dd>
        <dt>Zona</dt><dd>Nord</dd></dl>

    → ["Zona"]
    """
    values = NodeSpans(node for hit in (*hits, *region.figure_hits()) for node in hit.nodes)
    seen: set[tuple[int, tuple[str, str]]] = set()
    labels: list[str] = []
    for hit in hits:
        group = _label_group(hit)
        if group is None or (group.start, hit.label.shape) in seen:
            continue
        seen.add((group.start, hit.label.shape))
        for peer, text in _peer_labels(hit, group):
            is_of_company = not region.is_foreign(peer) and not values.contain(peer)
            if is_of_company and _is_unknown(text):
                labels.append(text.rstrip(" :："))
    return labels


def _label_group(hit: LabelledValue) -> Node | None:
    """Return the element with a label and the labels next to it: the list, the table, or the parent of the label's row.

        <dl><dt>Statut</dt><dd>Activă</dd></dl>
        <ul><li>Statut: Activă</li></ul>

    → the `dl` for the first line, the `ul` for the second
    """
    label = hit.label
    if hit.name is not None:
        return None  # the label is no element of its own
    if label.tag == "dt":
        return label.ancestor("dl")
    if is_cell(label):
        return label.ancestor("table") or (label.parent.parent if label.parent else None)
    if hit.text is not None:
        return label.parent.parent if label.parent is not None else None
    if label.parent is None:
        return None
    return label.parent if _is_flat(hit) else label.parent.parent


def _is_flat(hit: LabelledValue) -> bool:
    """Tell whether labels and values alternate in one element, without an element for each pair.

        <div><b>Statut</b> Activă <b>Zona</b> Nord</div>

    → True
    """
    parent = hit.label.parent
    return parent is not None and sum(1 for child in parent.children if child.shape == hit.label.shape) > 1


def _peer_labels(hit: LabelledValue, group: Node) -> Iterator[tuple[Node, str]]:
    """Yield the nodes in `group` that may be labels, each with its text: they are placed like the label of `hit`.

        <div><span>Statut</span><b>Activă</b></div>
        <div><span>Zona</span><b>Nord</b></div>

    → the `span` with "Statut" and the `span` with "Zona"
    """
    label = hit.label
    if label.tag == "dt":
        yield from ((node, node.text) for node in group.descendants() if node.tag == "dt")
    elif is_cell(label):
        rows = [
            [cell for cell in row.children if is_cell(cell)] for row in group.descendants() if is_row(row)
        ]
        yield from (
            (row[0], row[0].text)
            for row in rows
            if len(row) > 1 and row[0].tag == label.tag and row[1].tag == "td"
        )
    elif hit.text is not None:
        shape = label.parent.shape if label.parent is not None else None
        lines = (child for child in group.children if child.shape == shape and child.children)
        first = ((child, child.children[0].text) for child in lines)
        yield from ((child, match[1]) for child, text in first if (match := _LINE.fullmatch(text)))
    elif _is_flat(hit):
        if not any(node.shape == label.shape for node in hit.nodes):
            yield from ((node, node.text) for node in group.children if node.shape == label.shape)
    elif label.tag != TEXT and label.parent is not None:
        rows_alike = (child for child in group.children if child.shape == label.parent.shape)
        heads = (row.children[0] for row in rows_alike if len(row.children) > 1)
        yield from ((head, head.text) for head in heads if head.shape == label.shape)


def _is_unknown(text: str) -> bool:
    """Tell whether a text can be a label, and is not in the vocabulary."""
    label = text.rstrip(" :：")
    return (
        len(label) <= _MAX_LENGTH
        and text_or_none(label) is not None
        and _PLAIN.fullmatch(label) is not None
        and field_of(label) is None
        and not is_action(label)
        and label_in_line(text) is None
    )
