"""The rules that found the facts of a page: for each field, the labels before its value, or the heading."""

import re
from collections.abc import Mapping, Sequence

from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.reading import DERIVED_FROM, STATEMENTS

_LABEL_LENGTH = 60
_SEPARATORS = re.compile(r"[·•|;∙‧▪●]")


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
    shown = [
        hit for hit in hits if hit.field == field and hit.value and (hit.value in text or text in hit.value)
    ]
    if labels := dict.fromkeys(filter(None, map(_label_text, shown))):
        return f"label {', '.join(f'«{label}»' for label in labels)}"
    if shown:
        return "text in a line of facts"
    return "heading" if field == "name" else "text in or below the heading"


def _label_text(hit: LabelledValue) -> str:
    """Return the text of a label, without other facts in its line and without the value; "" if there is no label."""
    if hit.name:
        return hit.name[:_LABEL_LENGTH]
    text = hit.label.text
    if hit.text is not None:
        text = _SEPARATORS.split(text.partition(hit.text.strip())[0])[-1]
    return text.strip(" :：–—-")[:_LABEL_LENGTH]
