"""A label of a page with its value; the reader calls it a hit."""

import re
from dataclasses import dataclass
from functools import cached_property

from pipeline.transform.html.page_tree import Node, lines_in, text_of
from pipeline.transform.vocabulary.field import FIGURE_FIELDS, Field
from pipeline.transform.vocabulary.labels import is_action

_DASH = re.compile(r"^[—–-]\s+(?=\S)")
"""A dash between a label and its value: `<b>IDNO</b> — 1020999000019`."""


@dataclass(frozen=True)
class LabelledValue:
    """A label found on the page, with the nodes of its value; this package calls it a hit.

    `label` is the element or text node that contains the label. If the value starts in the same text node as the label,
    `text` is the part of the value in this node. `name` is the text of a label that is not the text of a node.

        <p><b>Adresa:</b> str. Pilda, 1</p>
        <p>Adresa: MD-2001, <i>Chișinău</i></p>
        <td data-label="Adresa">str. Pilda, 1</td>

    → LabelledValue(ADDRESS, b, (text,)), LabelledValue(ADDRESS, text, (i,), "MD-2001, ") and
    LabelledValue(ADDRESS, td, (td,), name="Adresa")
    """

    field: Field
    label: Node
    nodes: tuple[Node, ...]
    text: str | None = None
    name: str | None = None

    @property
    def caption(self) -> str:
        """The text of the label; if the label and the value are one text node, the text of both."""
        return self.label.text if self.name is None else self.name

    @cached_property
    def value(self) -> str:
        """The value as text, without the links for actions at its end.

            <dd>str. Pilda, 1 <a href="/map">Vezi pe hartă</a></dd>

        → "str. Pilda, 1". A dash between the label and the value is left out.
        """
        leaves = [leaf for node in self.nodes for leaf in node.leaves()]
        excluded: list[Node] = []
        while len(leaves) > 1 - bool(self.text) and is_action(leaves[-1].text):
            excluded.append(leaves.pop())
        text = f"{self.text or ''}{text_of(self.nodes, excluded)}".strip().lstrip(" :：")
        # A dash before an amount may be its sign.
        return text if self.field in FIGURE_FIELDS else _DASH.sub("", text)

    @property
    def lines(self) -> list[str]:
        """The lines of a value that starts in the text of its label.

            <p>Fondatori: MODELEANU ION<br>EXEMPLESCU MARIA</p>

        → ["MODELEANU ION", "EXEMPLESCU MARIA"]
        """
        first, *others = lines_in(self.nodes)
        return [f"{self.text or ''}{text_of(first)}", *filter(None, map(text_of, others))]


def are_side_by_side(hit: LabelledValue, other: LabelledValue) -> bool:
    """Tell whether two labels have the same shape and are in sections with the same parent."""
    section, other_section = hit.label.parent, other.label.parent
    if section is None or other_section is None or hit.label.shape != other.label.shape:
        return False
    return section.parent is other_section.parent
