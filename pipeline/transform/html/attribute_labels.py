"""Search for labels in the attributes of elements: a stylesheet shows them beside the value."""

from pipeline.transform.html.labelled_value import LabelledValue
from pipeline.transform.html.look import LABEL
from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.html.value_lines import starts_with_label
from pipeline.transform.html.value_types import has_type_of
from pipeline.transform.source_text import comparison_key
from pipeline.transform.vocabulary.field import FIGURE_FIELDS, LIST_FIELDS, Field
from pipeline.transform.vocabulary.labels import field_of, is_action

_ATTRIBUTES = (
    *(LABEL, "label", "data-key", "data-prop", "data-text", "data-lbl", "data-head", "data-before-content"),
    *("data-label", "data-title", "data-th", "data-header", "data-heading", "data-column", "data-col"),
    *("data-caption", "data-name", "data-field", "data-before", "data-content", "aria-label", "title"),
)
_ATTRIBUTE_NAMES = frozenset(_ATTRIBUTES)

_CUSTOM_ATTRIBUTES = (
    "caption",
    "heading",
    "header",
    "name",
    "key",
    "field",
    "term",
    "text",
    "legend",
    "prop",
)
"""Attributes of custom elements, whose template shows them."""


def find_attribute_labels(root: Node, name: str) -> dict[int, LabelledValue]:
    """Return the labels in attributes with their values, by the first text of the value.

        <td data-label="Adresa">str. Pilda, 1</td>
        <ul aria-label="Fondatori"><li>MODELEANU ION</li></ul>

    → ADDRESS with the `td`, and FOUNDERS with the `ul`. A row that names another company in the same way yields
    nothing; `name` is the heading of the page.
    """
    hits: dict[int, LabelledValue] = {}
    foreign: set[int] = set()
    for node in root.descendants():
        # Few elements have such an attribute, so this is checked first.
        if not node.attributes or _ATTRIBUTE_NAMES.isdisjoint(node.attributes):
            continue
        if node.tag == TEXT or not node.text:
            continue
        label = _label_of(node)
        if label is None:
            continue
        field, text = label
        if field is Field.NAME and node.parent and comparison_key(node.text) != comparison_key(name):
            foreign.add(node.parent.start)
        if _can_be_value(field, node):
            first = next(node.leaves())
            hits[first.start] = LabelledValue(field, node, (node,), name=text)
    return {
        start: hit
        for start, hit in hits.items()
        if hit.label.parent is None or hit.label.parent.start not in foreign
    }


def _label_of(node: Node) -> tuple[Field, str] | None:
    names = _ATTRIBUTES if "-" not in node.tag else (*_ATTRIBUTES, *_CUSTOM_ATTRIBUTES)
    texts = (node.attributes.get(attribute) for attribute in names)
    return next(((field, text) for text in texts if text and (field := field_of(text))), None)


def _can_be_value(field: Field, node: Node) -> bool:
    """Tell whether the text of an element can be the value of the label in its attribute.

        <td data-label="Statut">Activă</td>
        <section aria-label="Fondatori"><h2>Fondatori</h2>…</section>
        <a href="/map" title="Adresa">Vezi pe hartă</a>

    → True for the first, False for the others: a visible label or a link needs no attribute
    """
    if node.tag in ("a", "th", "h1", "form") or node.ancestor("a", "h1") is not None or is_action(node.text):
        return False
    if starts_with_label(node) or field_of(node.text) is not None:
        return False
    if field in LIST_FIELDS or field in FIGURE_FIELDS:
        return True
    return has_type_of(field, node.text) is not False and not any(
        field_of(leaf.text) for leaf in node.leaves()
    )
