"""Division of a party's text into tokens: names, shares, amounts, IDNOs, dates, and the marks between them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipeline.transform.source_text import collapse


class PartyToken(StrEnum):
    """What a part of a party's text is."""

    NAME = "name"
    """Words that are no token of another kind; `party_grammar` decides what they mean."""
    AMOUNT = "amount"
    SHARE = "share"
    MIXED = "mixed"
    RANGE = "range"
    FRACTION = "fraction"
    IDNO = "idno"
    CODE = "code"
    PERIOD = "period"
    UNTIL = "until"
    SINCE = "since"
    DATE = "date"
    ADDRESS = "address"
    MORE = "more"
    COUNT = "count"
    """How many companies the party has: "3 companii"."""
    FLAG = "flag"
    SYMBOL = "symbol"
    OPEN = "open"
    CLOSE = "close"
    COLON = "colon"
    COMMA = "comma"
    BREAK = "break"
    DASH = "dash"
    EDGE = "edge"


@dataclass(frozen=True)
class Piece:
    """A token with its text. `value` is the text of the number, date or code in it."""

    token: PartyToken
    text: str
    value: str = ""
    is_nested: bool = False
    """Whether the token is inside parentheses or brackets."""


_TOLERANT = {"a": "[aăâ]", "i": "[iîâ]", "s": "[sșş]", "t": "[tțţ]", "е": "[её]", " ": r"\s+", ".": r"\."}


def _any_of(*phrases: str) -> str:
    """Return a pattern that matches the phrases with and without diacritics, the longest first."""
    ordered = sorted(
        (phrase.strip() for text in phrases for phrase in text.split("|")), key=len, reverse=True
    )
    return "(?:" + "|".join("".join(_TOLERANT.get(letter, letter) for letter in p) for p in ordered) + ")"


_END = r"(?=[\s,;:()\[\]|·•.–—/]|$)"
_NUMBER = r"\d{1,3}(?:[.,]\d{1,8})?"
_PER_CENT = r"(?:%|％|la\s+sut[aă]\b|per\s?cent\b|процент(?:а|ов)?\b)"
_SHARE_WORD = _any_of(
    "cota | cota parte | cota-parte | cota de participare | cota de participatie | cota sociala",
    "cota in capital | partea sociala | parte sociala | parte | ponderea | pondere | procent",
    "procentaj | participare | participatie | detine | cu | cu o cota de | cu cota de",
    "ownership of shares | of shares | voting rights",
    "in proportie de | cote | parti | доля | доля участия | доля в капитале",
    "доля в уставном капитале | процент | владеет | в размере | доли | share | share in capital",
    "stake | shares | ownership | interest | holds | owns | with | shareholding",
)
_OF_CAPITAL = (
    r"(?:\s+"
    + _any_of(
        "din capital | din capitalul social | din capital social | de parte sociala | din cota",
        "cota-parte | cota parte | cota | of the capital | of capital | of the share capital | of shares",
        "shares | share | stake | уставного капитала | в уставном капитале | доли | капитала | din total",
    )
    + r"\b)?"
)
_LEAD = rf"(?:{_SHARE_WORD}(?:,?\s?%)?\s{{0,2}}[:=–-]?\s{{0,2}})?"
_VULGAR = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
_BOUND = (
    r"(?:[<>≤≥~≈]=?|&lt;|&gt;|"
    + _any_of(
        "peste | sub | pana la | mai mult de | mai putin de | mai mare de | mai mic de | cel putin",
        "cel mult | minim | maxim | maximum | minimum | circa | aproximativ | aprox. | in jur de",
        "nu mai putin de | nu mai mult de | более | менее | свыше | больше | меньше | до | от | не менее",
        "не более | около | ниже | выше | примерно | over | under | above | below | less than",
        "more than | at least | at most | up to | about | approx. | approximately | not less than",
        "no more than | around | greater than | no less than | not more than | not exceeding | nu depaseste",
        "nu peste | не превышает | максимум | минимум | не свыше | starting from",
    )
    + ")"
)
_BETWEEN = _any_of("intre | de la | din | от | с | между | from | between")
_AND = _any_of("si | la | pana la | до | и | по | to | and")
_BUT = _any_of("si | dar | insa | sau | ori | и | но | а также | или | однако | and | but | or | yet")
_INCLUSIVE = _any_of("inclusiv | включительно | inclusive")
_AMOUNT_WORD = _any_of(
    "aport | aportul | aport social | aport la capital | contributia | contributie | suma",
    "in suma de | valoarea | valoare | in valoare de | cu aportul de | cu un aport de",
    "aport in numerar | aport la capitalul social | depus | valoarea nominala | вклад | взнос",
    "сумма | стоимость | в размере | на сумму | вклад в размере | номинал | contribution | amount",
    "value | contributed | capital contribution | of | paid in | nominal value",
)
_MONEY = (
    r"\d{1,3}(?:[ .'’\u00a0\u202f]\d{3}){1,5}(?:,\d{1,2})?"
    r"|\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?"
)
_CURRENCY = r"(?:lei\b|leu\b|mdl\b|лей\b|леев\b|лея\b|ron\b|eur(?:o)?\b|usd\b|руб(?:\.|лей\b)?|€|\$)"
_IDNO_WORD = _any_of(
    "idno | idnp | cod fiscal | codul fiscal | cod | c.f. | c/f | cf | cod idno | idno/cod fiscal",
    "cod unic | ид. номер | nr. de inregistrare | nr. de identificare | numar de inregistrare",
    "numar de identificare | идно | фискальный код | ф/к | ф.к. | код | фиск. код",
    "регистрационный номер | рег. номер | рег. № | инн | огрн | унп | edrpou | едрпоу | fiscal code",
    "tax id | code | registration number | registration no. | reg. no. | company number | id",
    "reg. code | registry code | cui | c.u.i. | cod de inregistrare | passport | vat",
)
_MONTH = (
    r"(?:ian|feb|mar|apr|mai|iun|iul|aug|sep|oct|noi|nov|dec|jan|may|jun|jul|янв|фев|мар|апр|ма[яй]|июн|июл|авг|сен|окт"
    r"|ноя|дек)[^\W\d_]{0,9}\.?"
)
_DAY = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?"
    + _MONTH
    + r",?\s+\d{4}|"
    + _MONTH
    + r"\s+(?:\d{1,2},\s+)?\d{4}|\d{1,2}[./]\d{4}(?!\d))"
)
_YEAR = r"(?:19|20)\d{2}(?![\d.,/])"
_YEAR_WORD = r"(?:\s*(?:г\.|года?\b|an(?:ul)?\b))?"
_WHEN = rf"(?:anul\s+)?(?:{_DAY}|{_YEAR}){_YEAR_WORD}"
_NOW = _any_of(
    "prezent | in prezent | prezentul | present | now | today | current | настоящее время | н.в.",
    "н. в. | сегодня | azi | nedeterminat | pana in prezent | actual",
)
_SINCE_WORD = _any_of(
    "din | din data | din data de | de la | de la data de | incepand cu | incepand cu data de",
    "incepand din | numit la | numita la | numit pe | numita pe | numit in | numita in | numit din",
    "numita din | desemnat la | desemnata la | inregistrat la | inregistrata la | inscris la",
    "din anul | numit | numita | ales la | aleasa la | de la data | since | from | as of | appointed",
    "appointed on | registered on | effective | elected | starting | in office since | с | от",
    "начиная с | назначен | назначена | назначен с | назначена с | дата назначения | data numirii",
    "data | дата",
)
_UNTIL_WORD = _any_of(
    "pana la | pana la data de | pana in | pana | until | till | to | up to | through | до | по",
    "revocat la | revocata la | eliberat la | eliberata la | retras la | retrasa la | iesit la",
    "iesita la | demis la | demisa la | incetat la | resigned | resigned on | removed | removed on",
    "left | left on | выбыл | выбыла | вышел | вышла | уволен | уволена | освобожден | освобождена",
    "exclus la | exclusa la | radiat la | radiata la | a activat pana la | decedat la",
)
_MORE_WORD = (
    r"(?:(?-i:[șşȘŞ]\.\s?[aA]\.?|s\.\s?a\.)(?:\s?m\.?\s?d\.?)?|et\s+al\.?|etc\.?|и\s+др(?:\.|угие)|и\s+т\.?\s?д\.?|и\s+т\.?\s?п\.?"
    r"|[sșş]i\s+al[tțţ](?:ii|ele|i)\b(?:\s+\d+)?(?:\s+[^\W\d_]+)?|[sșş]i\s+(?:înc[aă]\s+)?\d+\s+al[tțţ](?:ii|ele|i)(?:\s+[^\W\d_]+)?"
    r"|[sșş]i\s+(?:înc[aă]|inc[aă])\s+\d+(?:\s+[^\W\d_]+)?|and\s+(?:\d+\s+)?(?:others|more)\b(?:\s+[^\W\d_]+)?"
    r"|и\s+ещ[её]\s+\d+(?:\s+[^\W\d_]+)?|\+\s?\d+(?:\s+[^\W\d_]+){0,3}|(?:înc[aă]|inc[aă]|ещ[её])\s+\d+(?:\s+[^\W\d_]+){0,2}"
    r"|\d+\s+(?:more|others)\b(?:\s+[^\W\d_]+)?|[sșş]i\s+alte\s+[^\W\d_]+|…|\.\.\.)"
)
_COUNT = (
    r"(?-i:(?:(?:are|în|in|участвует в)\s)?\d{1,4}\s(?:de\s)?(?:alte\s|other\s|других\s)?"
    r"(?:compani[ie]|firm[eăa]|întreprinder[ie]|societ[aă][tțţ]i|societate|entit[aă][tțţ]i|leg[aă]tur[iaă]"
    r"|omonimi?|persoane cu acela[sșş]i nume|тёзки|тёзка|тезки|тезка|тёзок|тезок|namesakes?"
    r"|func[tțţ]i[ie]|roluri|mandate|компани[йяи]|фирм[аы]?|предприяти[йяе]|организаци[йяи]|связ[ьией]{1,2}"
    r"|companies|company|firms?|entities|organi[sz]ations|connections?|links|roles|appointments?))"
)
_SYMBOLS = "✓✔☑✅★☆⭐●○◦■□▪▫▸►▶◆◇♦🔹🔸🔗👤👥🧑👨👩🏢🏭🏛🏦"
"""Marks of verification and decorations. Others, such as a cross, may mean that a party left."""
_PLACE = r"(?:str|bd|bul|mun|or|sat|s|com|r-nul|r-l|raionul|ул|г|с|мун|пр|bd-ul|str-la)\b"
_PATTERNS: dict[str, str] = {
    "QUOTED": r"\"[^\"]{1,200}\"|„[^”“\"„]{1,200}[”“\"]|«[^«»]{1,200}»|“[^“”]{1,200}”",
    "ADDRESS": rf"(?:MD[\s-]{{0,2}}\d{{4}}\b|(?:(?<=[,;\n]\s)|(?<=[,;\n])){_PLACE}\.\s?)[^()\[\]%]*$",
    "AMOUNT": (
        rf"(?:{_AMOUNT_WORD}(?:\s+{_AMOUNT_WORD})?\s{{0,2}}[:=–-]?\s{{0,2}})?"
        rf"(?:{_MONEY})\s{{0,2}}(?:de\s+)?{_CURRENCY}"
    ),
    "MIXED": rf"{_LEAD}\d{{1,2}}(?:\s?[{_VULGAR}]|\s+\d{{1,2}}/\d{{1,3}})\s{{0,2}}{_PER_CENT}",
    "RANGE": (
        rf"{_LEAD}(?:{_BETWEEN}\s+{_NUMBER}\s{{0,2}}{_PER_CENT}?\s+{_AND}\s+{_NUMBER}\s{{0,2}}{_PER_CENT}"
        rf"|{_NUMBER}\s{{0,2}}{_PER_CENT}?\s{{0,2}}(?:[–—−-]|\.\.\.?|…|{_AND})\s{{0,2}}{_NUMBER}\s{{0,2}}{_PER_CENT}"
        rf"|{_BOUND}\s{{0,2}}{_NUMBER}\s{{0,2}}{_PER_CENT}(?:,?\s{{1,2}}(?:{_BUT}\s{{1,2}})?{_BOUND}\s{{0,2}}{_NUMBER}\s{{0,2}}{_PER_CENT})?"
        rf"|{_NUMBER}\s{{0,2}}{_PER_CENT}?(?:\+|\s{{1,2}}(?:[sșş]i|or|и|and)\s+(?:mai\s+mult|more|over|above|более|выше|peste)\b)"
        rf"(?:\s{{0,2}}{_PER_CENT})?)(?:,?\s{{1,2}}{_INCLUSIVE}\b)?"
    ),
    "SHARE": rf"{_LEAD}{_NUMBER}\s{{0,2}}{_PER_CENT}{_OF_CAPITAL}",
    "IDNO": rf"(?:{_IDNO_WORD}\s{{0,2}}[:№#=]?\s{{0,2}})?\d{{13}}{_END}",
    "CODE": rf"{_IDNO_WORD}\s{{0,2}}[:№#=]?\s{{0,2}}[A-ZА-Я]{{0,4}}[-\s]?\d[\d./-]{{2,18}}{_END}",
    "PERIOD": rf"{_WHEN}\s{{0,2}}[–—-]\s{{0,2}}(?:{_WHEN}|{_NOW}){_END}",
    "UNTIL": rf"{_UNTIL_WORD}\s{{0,2}}[:]?\s{{0,2}}(?:{_WHEN}|{_NOW}){_END}",
    "SINCE": rf"{_SINCE_WORD}\s{{0,2}}[:]?\s{{0,2}}{_WHEN}{_END}",
    "DATE": rf"{_DAY}{_YEAR_WORD}{_END}",
    "FRACTION": rf"{_LEAD}(?:\d{{1,4}}\s?[/⁄]\s?\d{{1,4}}|[{_VULGAR}])(?![\w/.,%])(?!\s*%){_OF_CAPITAL}",
    "FRACTION_CLOSED": rf"{_LEAD}(?:\d{{1,4}}\s?[/⁄]\s?\d{{1,4}}|[{_VULGAR}])(?=[.,](?:\s|$)){_OF_CAPITAL}",
    "COUNT": rf"{_COUNT}(?=\s*(?:[(),;|·•–—\[\]]|$|\d{{1,3}}(?:[.,]\d+)?\s?%))",
    "MORE": rf"{_MORE_WORD}{_END}",
    "FLAG": r"[\U0001F1E6-\U0001F1FF]{2}",
    "SYMBOL": rf"[{_SYMBOLS}][\U0001F3FB-\U0001F3FF]?(?:\u200d[💼⚖💻🔧])?\ufe0f?",
    "OPEN": r"[(\[]",
    "CLOSE": r"[)\]]",
    "COLON": r"[:：]",
    "COMMA": r",",
    "BREAK": r"[;|·•]",
    "DASH": r"[–—]|-(?=\s|$)",
    "SPACE": r"\s+",
    "WORD": rf"[^\s,;:：()\[\]|·•–—\"„«“{_SYMBOLS}\U0001F1E6-\U0001F1FF]+|.",
}
_WITHOUT_DIGITS = frozenset(
    {
        "QUOTED",
        "ADDRESS",
        "MORE",
        "FLAG",
        "SYMBOL",
        "OPEN",
        "CLOSE",
        "COLON",
        "COMMA",
        "BREAK",
        "DASH",
        "SPACE",
        "WORD",
    }
)


def _compiled(*, with_digits: bool) -> re.Pattern[str]:
    """Return the pattern of all tokens; those that contain digits are only tried where a digit is near."""
    named = {name: f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()}
    plain = [group for name, group in named.items() if name in _WITHOUT_DIGITS]
    numeric = "|".join(group for name, group in named.items() if name not in _WITHOUT_DIGITS)
    guarded = [rf"(?=[^()\[\]]{{0,90}}[\d{_VULGAR}])(?:{numeric})"] if with_digits else []
    return re.compile("|".join([*plain[:2], *guarded, *plain[2:]]), re.IGNORECASE)


_TOKEN, _TOKEN_WITHOUT_DIGITS = _compiled(with_digits=True), _compiled(with_digits=False)
_DIGIT = re.compile(rf"[\d{_VULGAR}]")
_TOKEN_OF = {**{token.name: token for token in PartyToken}, "FRACTION_CLOSED": PartyToken.FRACTION}


def pieces_of(fragments: list[str]) -> Iterator[Piece]:
    """Yield the tokens of a party's texts. Words in a row are one piece; EDGE separates the texts.

    ["MODELEANU ION (25%)"] → NAME "MODELEANU ION", OPEN, SHARE "25%", CLOSE
    """
    for i, fragment in enumerate(fragments):
        if i:
            yield Piece(PartyToken.EDGE, "")
        yield from _pieces_of_text(fragment)


@lru_cache(maxsize=4096)  # the texts of a list are looked at several times
def _pieces_of_text(text: str) -> tuple[Piece, ...]:
    return tuple(_tokenize(text))


def _tokenize(text: str) -> Iterator[Piece]:
    words: list[str] = []
    depth = 0
    last_end = -1
    for match in (_TOKEN if _DIGIT.search(text) else _TOKEN_WITHOUT_DIGITS).finditer(text):
        name = match.lastgroup or "WORD"
        if name == "SPACE":
            continue
        if name in ("WORD", "QUOTED"):
            joined = bool(words) and match.start() == last_end
            words[-1:] = [words[-1] + match[0]] if joined else [*words[-1:], match[0]]
            last_end = match.end()
            continue
        if words:
            yield Piece(PartyToken.NAME, " ".join(words), is_nested=depth > 0)
            words = []
        depth += (name == "OPEN") - (name == "CLOSE")
        yield Piece(_TOKEN_OF[name], collapse(match[0]), match[0], is_nested=depth > 0)
    if words:
        yield Piece(PartyToken.NAME, " ".join(words), is_nested=depth > 0)
