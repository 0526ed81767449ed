"""The grammar of an activity as a page writes it: a number or code, the name, and remarks about its licence."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pipeline.transform.source_text import fold, parse_date, text_or_none
from pipeline.transform.vocabulary.activity_words import (
    CODE_WORDS,
    LICENCE_WORDS,
    NO_ACTIVITIES,
    REMARK_WORDS,
)
from warehouse.records.models import Activity

_LONGEST_NAME = 600
_LONGEST_CACHED = 300
_MOST_SEPARATORS = 30
_BULLET = re.compile(r"[•·▪◦●■►*–—-]\s*")
_ORDINAL = re.compile(r"\(?\d{1,3}[.)]\s*(?=[^\W\d_]|\d{2}\.\d{2})")
_CODE = r"(?:[A-Ua-u][ .-]?)?\d{2}\.\d{1,2}(?:\.\d{1,2})?|[A-Ua-u] ?\d{2,5}|\d{1,6}"
_CODE_BEFORE = re.compile(
    rf"[(\[]?(?:(?P<word>[^\W\d_]{{3,5}}(?:[- ]?2| rev\. ?2)?)[ :.-]{{1,3}})?(?P<code>{_CODE})[)\]]?"
    r"(?P<mark>\s*[:–—-]\s*|\s+)(?=[^\W\d_])",
    re.IGNORECASE,
)
_CODE_AFTER = re.compile(
    rf"\s*[,;–—(\[-]\s*(?:(?P<word>[^\W\d_]{{3,5}}(?:[- ]?2| rev\. ?2)?)[ :.-]{{1,3}})?(?P<code>{_CODE})\s*[)\]]?",
    re.IGNORECASE,
)
_CODE_ALONE = re.compile(rf"[(\[#№]?\s*(?:[^\W\d_]{{3,5}} )?(?:{_CODE})[.:]?\s*[)\]]?", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"\s+[–—-]\s+|[,;:]\s+|\s*[(\[|·•]\s*|\s+(?=(?:licen|autoriza[tțţ]|лицензи|nr\.|№))", re.IGNORECASE
)
_DATE = r"\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}-\d{2}-\d{2}"
_DATE_IN_TEXT = re.compile(rf"(?<!\d)(?:{_DATE})(?!\d)")
_WRITTEN_DATE = re.compile(r"(?<!\d)\d{1,2} [^\W\d_]{3,10}\.? \d{4}(?!\d)")
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:/\d+)*")
_NUMBER_MARK = re.compile(r"(?<!\w)(?:nr|no|n)[.:]? ?(?:[a-z]{1,5} ?){0,2}\d")
_SERIES = re.compile(r"[A-ZА-Я]{1,6}")
_SERIES_ALONE = re.compile(r"(?:[A-ZА-Я]{1,6}[ -]?){1,3}[ №]*\d{3,10}")
_MORE = re.compile(
    r"(?:\.{3}|…)|(?:(?:si|и|and|\+|,|…|\.{3})\s*)*(?:inca|alte|altele|alti|еще|другие|others?|more|plus|\+)?"
    r"\s*\+?\d{1,4}\s*"
    r"(?:altele|alte|alti|mai multe|activitat\w+|de activitati|genuri(?: de activitate)?|more|others?|other|activities|"
    r"licences?|licente|еще|друг\w+|вид\w*(?: деятельности)?|деятельност\w+)?"
    r"(?: (?:activitat\w+|activities|more|altele))?"
)
_MORE_WORDS = re.compile(r"inca|alte|altele|alti|еще|друг|other|more|plus|\+|…|\.{3}|и др\b")
_AND_OTHERS = re.compile(
    r"(?:,\s*)?(?:si altele|s\. ?a\.?|etc\.?|и др\.?|и другие|и т\. ?д\.?|and others|et al\.?)"
)
_SHOWN_OF = re.compile(
    r"(?:[^\W\d_]+\.? ){0,3}(?:\d{1,4}\s?[–—-]\s?)?\d{1,4} (?:[^\W\d_]+ ){0,2}(?:din|of|из|/)(?: cele| the)? \d{1,5}"
    r"(?: [^\W\d_]+){0,3}"
)
_ENDED = re.compile(
    r"(?:\(|licent\w+ |autorizati\w+ |лицензи\w+ |licen[cs]e )(?:\w+ )?(?:suspendat|retras|anulat|expirat|incetat|"
    r"приостановлен|отозван|аннулирован|прекращен|истекл|suspended|withdrawn|revoked|expired|cancelled|ceased)"
)
"""The end of a licence: "Transport (licență suspendată)"."""
_LONGEST_NOTE = 80


@dataclass(frozen=True)
class ActivityText:
    """What one text in a list of activities says."""

    activity: Activity | None = None
    remark: str | None = None
    is_more: bool = False
    """Whether the text says that the list has more activities than it shows."""


def parse_activity(text: str) -> ActivityText | None:
    """Parse the text of one activity; return None if any part of it is not understood.

    "62.01 – Activități de realizare a softului" → the name, and the code "62.01".
    "Transport; licența nr. 012345 din 01.02.2020" → the name "Transport", and the remark.
    "Nu sunt" → neither an activity nor a remark. "și încă 4" → `is_more`.
    """
    return _parse_short(text) if len(text) <= _LONGEST_CACHED else _parse(text)


def _parse(text: str) -> ActivityText | None:
    shown = text.strip().lstrip(" :：")
    shown = _BULLET.sub("", shown, count=1) if _BULLET.match(shown) else shown
    shown = shown.rstrip(" ;,")
    if says_more_activities(shown):
        return ActivityText(is_more=True)
    if says_no_activities(shown):
        return ActivityText()
    name, code = _without_code(_ORDINAL.sub("", shown, count=1) if _ORDINAL.match(shown) else shown)
    name, remark = _without_remark(name)
    if code is None:
        name, code = _without_code(name)
    if remark is None:
        name, remark = _without_remark(name)
    return ActivityText(Activity(name=name, code=code), remark) if _is_name(name) else None


_parse_short = lru_cache(maxsize=4096)(_parse)  # companies choose their activities from one list


@lru_cache(maxsize=4096)
def can_be_activity(name: str) -> bool:
    """Tell whether the name in a record of the source is one: not "1", not "{{ name }}", not "Nu sunt"."""
    return (
        sum(1 for letter in name if letter.isalpha()) >= 2
        and "{{" not in name
        and not says_no_activities(name)
        and not says_more_activities(name)
    )


def says_no_activities(text: str) -> bool:
    """Tell whether a text in the place of activities says that there are none: "Nu sunt", "Нет", "—"."""
    return text_or_none(text) is None or fold(text).strip(" .!()–—-") in NO_ACTIVITIES


def says_more_activities(text: str) -> bool:
    """Tell whether a text in a list says that the list continues: "și încă 4", "Afișate 5 din 12"."""
    if len(text) > _LONGEST_NOTE:
        return False
    folded = fold(text).strip(" .()[]") or text.strip()
    if _SHOWN_OF.fullmatch(folded) or _AND_OTHERS.fullmatch(folded) or text.strip() in ("…", "..."):
        return True
    return _MORE.fullmatch(folded) is not None and _MORE_WORDS.search(folded) is not None


def is_code(text: str) -> bool:
    """Tell whether a text is only a number or the code of an activity: "4711", "62.01", "G 47.11"."""
    return _CODE_ALONE.fullmatch(text) is not None


def starts_with_code(text: str) -> bool:
    """Tell whether a text starts with a code with a dot and a name: "62.02 Consultanță"."""
    match = _CODE_BEFORE.match(text)
    return match is not None and match["word"] is None and "." in match["code"]


def is_licence_remark(text: str) -> bool:
    """Tell whether the whole text is about a licence.

    "Nr. 012345 din 01.02.2020, valabilă până la 01.02.2025", "A MMII 045117" → True
    """
    if _SERIES_ALONE.fullmatch(text.strip(" .,;:()[]")):
        return True
    plain = _DATE_IN_TEXT.sub(" ", _written_dates_removed(text)).replace("№", "nr ")
    has_date = _DATE_IN_TEXT.search(text) is not None or _written_dates_removed(text) != text
    folded = fold(plain)
    tokens = _TOKEN.findall(plain)
    words = [token for token in tokens if not token[0].isdigit()]
    is_known = all(fold(word) in REMARK_WORDS or _SERIES.fullmatch(word) for word in words)
    is_about_licence = (
        has_date or not LICENCE_WORDS.isdisjoint(map(fold, words)) or _NUMBER_MARK.search(folded) is not None
    )
    has_digits = any(letter.isdigit() for letter in text)
    return is_known and is_about_licence and has_digits


def _without_code(text: str) -> tuple[str, str | None]:
    """Return a name without the code before or after it, and the code."""
    if match := _CODE_BEFORE.match(text):
        code, rest = match["code"], text[match.end() :]
        is_named = match["word"] is not None and _is_code_word(match["word"])
        if is_named or (match["word"] is None and _is_certain_code(code, match[0], rest)):
            return rest, code.upper()
    if (begin := max(text.rfind(mark) for mark in ",;–—([-")) > 0 and len(text) - begin <= 24:
        begin = len(text[:begin].rstrip())
        match = _CODE_AFTER.fullmatch(text, begin)
        if match and (
            (match["word"] and _is_code_word(match["word"])) or (not match["word"] and "." in match["code"])
        ):
            return text[:begin], match["code"].upper()
    return text, None


def _is_code_word(word: str) -> bool:
    return fold(word).strip(" .") in CODE_WORDS or fold(word).partition(" ")[0].rstrip("-2") in CODE_WORDS


def _is_certain_code(code: str, written: str, rest: str) -> bool:
    """Tell whether a number before a name is a code: not the "3" of "3 stele" and not the "D" of "D 20 mm"."""
    is_marked = any(mark in written for mark in "([:–—") or re.search(r"\s-\s|^-", written) is not None
    if code[0].isalpha():
        return len(code.strip("abcdefghijklmnopqrstuABCDEFGHIJKLMNOPQRSTU .-")) >= 2 and rest[:1].isupper()
    return is_marked or "." in code or rest[:1].isupper()


def _without_remark(text: str) -> tuple[str, str | None]:
    """Return a name without the remark about its licence, and the remark: the longest at the end, or one before."""
    if not any(letter.isdigit() for letter in text):
        return text, None
    places = list(_SEPARATOR.finditer(text))[:_MOST_SEPARATORS]
    for match in places:
        tail = text[match.end() :]
        if is_licence_remark(tail) and text[: match.start()].strip():
            return text[: match.start()].rstrip(" ,;:–—-"), tail.strip(" ()[]")
    for match in reversed(places):
        head = text[: match.start()]
        if is_licence_remark(head):
            return text[match.end() :], head.strip(" ()[]")
    return text, None


def _is_name(name: str) -> bool:
    """Tell whether a text is the name of an activity; nothing else is left in it: no date, no number of a licence."""
    folded = fold(name.replace("№", "nr "))
    return (
        sum(1 for letter in name if letter.isalpha()) >= 2
        and len(name) <= _LONGEST_NAME
        and not name.endswith(("…", "...", ":", "："))
        and not _DATE_IN_TEXT.search(name)
        and not _NUMBER_MARK.search(folded)
        and not _AND_OTHERS.search(folded[-15:])
        and not folded[0].isdigit()
        and "{{" not in name
        and not _ENDED.search(folded)
    )


def _written_dates_removed(text: str) -> str:
    """Return a text without dates such as "14 mai 2022"."""
    return "".join(_plain_pieces(text))


def _plain_pieces(text: str) -> Iterator[str]:
    begin = 0
    for match in _WRITTEN_DATE.finditer(text):
        if parse_date(match[0]):
            yield text[begin : match.start()] + " "
            begin = match.end()
    yield text[begin:]
