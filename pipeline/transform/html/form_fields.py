"""The texts of form fields that a visitor can read but not change."""

from bs4.element import Tag

from pipeline.transform.html.look import VALUE
from pipeline.transform.source_text import words

FORM_FIELDS = frozenset({"input", "textarea", "select"})
_TEXT_INPUTS = frozenset(words("|text|search|date|number|tel|url|email"))


def fixed_text(tag: Tag) -> str:
    """Return the text of a form field that cannot be changed; "" for other fields: they are for the visitor's input.

        <input readonly value="str. Pilda, 1">
        <select disabled><option>Lichidată<option selected>Activă</select>

    → "str. Pilda, 1" and "Activă". A value that the look records comes first: scripts set values without attributes.
    """
    if VALUE in tag.attrs:
        return str(tag.attrs[VALUE]).strip()
    if not tag.has_attr("readonly") and not tag.has_attr("disabled"):
        return ""
    if tag.name == "input":
        kind = str(tag.attrs.get("type", "text")).lower()
        return str(tag.attrs.get("value", "")).strip() if kind in _TEXT_INPUTS else ""
    if tag.name == "textarea":
        return tag.get_text().strip()
    selected = tag.find_all("option", selected=True)
    return selected[0].get_text().strip() if len(selected) == 1 else ""
