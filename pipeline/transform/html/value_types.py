"""The types of values: whether a text can be the value of a field, as evidence for where a page puts its values."""

import re
from functools import lru_cache

from pipeline.transform.html.idno_texts import idno_in
from pipeline.transform.source_text import fold, parse_amount, parse_date
from pipeline.transform.vocabulary.field import FIGURE_FIELDS, Field
from pipeline.transform.vocabulary.labels import LABEL_LENGTH
from pipeline.transform.vocabulary.statuses import standing_of
from pipeline.transform.vocabulary.terms import legal_form_of

_FIRST_WORDS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)?")
_DATE_START = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}-\d{1,2}-\d{1,2}|\d{1,2} [^\W\d_]+ \d{4}")


def has_type_of(field: Field, text: str) -> bool | None:
    """Tell whether a text has the type of a field's values; None if values of this field may be any text.

    REGISTERED_ON, "12.03.2015" → True; STATUS, "SRL" → False; ADDRESS, "str. Pilda, 1" → None
    """
    return _has_short_type_of(field, text) if len(text) <= LABEL_LENGTH else _has_type_of(field, text)


def _has_type_of(field: Field, text: str) -> bool | None:
    match field:
        case Field.IDNO:
            return idno_in(text) is not None
        case Field.REGISTERED_ON:
            return parse_date(text) is not None or _DATE_START.match(text) is not None
        case Field.STATUS:
            return _opens_with_status(text)
        case Field.LEGAL_FORM:
            return legal_form_of(text) is not None
        case _ if field in FIGURE_FIELDS:
            return parse_amount(text) is not None or text[:1].isdigit()
        case _:
            return None


_has_short_type_of = lru_cache(maxsize=4096)(_has_type_of)  # labels and values are compared several times


def _opens_with_status(text: str) -> bool:
    """Tell whether a text is a status or begins with one, such as "Radiată din 02.02.2020"."""
    opening = _FIRST_WORDS.match(text)
    openings = (text, opening[0], opening[0].split()[0]) if opening else (text,)
    return any(standing_of(fold(part), labelled=True) is not None for part in openings)
