"""The rules that found the facts of a page: for each field, the labels before its value, or the heading."""

from collections.abc import Mapping, Sequence

from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.reading import DERIVED_FROM, STATEMENTS

_LABEL_LENGTH = 60


def rules_of(raw: Mapping[str, str], hits: Sequence[LabelledValue], *, has_figures: bool) -> dict[str, str]:
    """Return for each field of a reading where its text was found.

        <h1>PLOPENA AGRO <span>SRL</span></h1>
        <dl><dt>Adresa</dt><dd>str. Pilda, 1</dd></dl>

    → {"name": "heading", "legal_form": "text in or below the heading", "address": "label «Adresa»"}

    Args:
        raw: For each field, the text that it was read from.
        hits: The labels of the company with their values.
        has_figures: Whether key figures of statements were read.
    """
    rules = {field: _rule(field, text, hits) for field, text in raw.items() if field not in DERIVED_FROM}
    return {**rules, STATEMENTS: "labels of key figures"} if has_figures else rules


def _rule(field: str, text: str, hits: Sequence[LabelledValue]) -> str:
    labels = dict.fromkeys(
        _label_text(hit)
        for hit in hits
        if hit.field == field and hit.value and (hit.value in text or text in hit.value)
    )
    if labels:
        return f"label {', '.join(f'«{label}»' for label in labels)}"
    return "heading" if field == "name" else "text in or below the heading"


def _label_text(hit: LabelledValue) -> str:
    """Return the text of a label, without the beginning of the value if both are in one text node."""
    text = hit.label.text
    if hit.text is not None and (start := text.find(hit.text.strip())) > 0:
        text = text[:start]
    return text.strip(" :：–—-")[:_LABEL_LENGTH]
