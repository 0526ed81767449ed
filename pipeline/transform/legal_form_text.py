"""The grammar of legal forms: a known form, with its full name or its classifier code beside it, or unread."""

import re

from pipeline.transform.grammar import Parsed, unread
from pipeline.transform.source_text import words
from pipeline.transform.vocabulary.placeholders import placeholder_reason
from pipeline.transform.vocabulary.terms import FORM_TEXTS, legal_form_of
from warehouse.folding import collapse, fold

_LONGEST = 120
_CODE = re.compile(
    r"(?:(?:cod(?:ul)?|cfoj|opf|код)?:?\s*(\d{2,4})\s*[-–—.:]\s*)?(.+?)"
    r"(?:\s*[(\[,–—-]\s*(?:(?:cod(?:ul)?|cfoj|opf|код)?:?\s*(\d{2,4}))[)\]]?)?"
)
"""A form with its number in the classifier of legal forms: "530 – SRL", "SRL (530)"."""
_REMARKS = frozenset(
    fold(remark)
    for remark in words(
        """
        cu capital strain | cu capital mixt | cu capital autohton | cu capital de stat | cu un singur asociat |
        unipersonala | с иностранным капиталом | with foreign capital | single-member | mixta | privata
        """
    )
)
_KINDS = frozenset(
    fold(kind)
    for kind in words(
        """
        societate | societatea | intreprindere | intreprinderea | cooperativa | cooperativ | asociatie |
        asociatia | fundatie | fundatia | organizatie | organizatia | institutie | institutia | uniune | uniunea
        | sucursala | filiala | reprezentanta | gospodarie | gospodaria | camera | fond | fondul | partid |
        sindicat | cult | banca | biroul | birou | cabinet | colegiu | federatie | federatia | liga | companie |
        concern | consortiu | comunitate | parohie | manastire | autoritate | agentie | centru | notar | avocat
        | executor | persoana | patronat | bursa | casa | obste | grup | общество | товарищество | кооператив |
        ассоциация | фонд | организация | учреждение | союз | филиал | представительство | хозяйство |
        предприятие | партия | профсоюз | банк | бюро | кабинет | федерация | компания | объединение | палата |
        company | partnership | cooperative | co-operative | association | foundation | organization |
        organisation | institution | union | branch | subsidiary | representative | household | enterprise |
        fund | party | bank | office | federation | society | corporation | trust | authority | chamber | entity
        """
    )
)
"""Nouns of which legal forms are made that are not in the vocabulary: "Cooperativă agricolă", "Branch of a company"."""
_SIZES = re.compile(
    r"\b(?:mic[ai]?|micro\w*|mijloci[ei]\w*|mare|mari|малое|среднее|крупное|small|medium|large|micro)\b"
)
_JOINED = re.compile(r"[a-zăâîșțşţа-яё][A-ZĂÂÎȘȚŞŢА-ЯЁ]")
"""A capital letter after a small one: two texts without anything between them."""
_WORDS = re.compile(r"[^\W\d_]+(?:[ '’.(),/-]{1,3}[^\W\d_]+)*[.)]?")
_ABBREVIATION = re.compile(r"[^\W\d_]\.?(?:[^\W\d_]\.?){1,5}")


def read_legal_form(text: str, *, is_code: bool = False) -> Parsed[str]:
    """Read a legal form; the value is its code, or the text if the form has no code in the vocabulary.

    "Societate cu răspundere limitată (SRL)" → "SRL"
    "SRL (530)" → "SRL" with the remark "530"
    "Cooperativă agricolă" → "Cooperativă agricolă"
    "Activă", "Întreprindere mică", "SRL / SA" → unread

    Args:
        text: The text in the place of the form.
        is_code: Whether the source has codes in this place; then any short abbreviation in capital letters is one.
    """
    written = collapse(text)
    if reason := placeholder_reason(written):
        return unread(reason)
    if len(written) > _LONGEST:
        return unread("its text is longer than a legal form")
    if code := legal_form_of(written):
        return Parsed(code)
    if (match := _CODE.fullmatch(written)) and (match[1] or match[3]) and (code := legal_form_of(match[2])):
        return Parsed(code, tuple(filter(None, (match[1], match[3]))))
    form, _, remark = re.sub(r"[()\[\]]|,\s", "|", written).strip("| ").partition("|")
    if fold(remark) in _REMARKS and (code := legal_form_of(form)):
        return Parsed(code, (remark.strip(),))
    if _is_other_form(written) or (is_code and written.isupper() and _ABBREVIATION.fullmatch(written)):
        return Parsed(written)
    return unread("it is not a known legal form")


def _is_other_form(written: str) -> bool:
    """Tell whether a text has the shape of a legal form that is not in the vocabulary."""
    folded = fold(written)
    if not _WORDS.fullmatch(folded) or _SIZES.search(folded) or _JOINED.search(written):
        return False
    if any(folded.startswith(form) for form in FORM_TEXTS):
        return False  # a known form, and a rest that is not understood
    opening = re.split(r"[ ,(/-]", folded)
    return any(word in _KINDS for word in opening[:2]) and legal_form_of(folded.partition("/")[0]) is None
