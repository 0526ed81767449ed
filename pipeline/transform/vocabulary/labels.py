"""Recognition of labels and of links for actions."""

import re
from functools import lru_cache

from pipeline.transform.money_units import without_units
from pipeline.transform.source_text import fold
from pipeline.transform.vocabulary import business, company, others, titles
from pipeline.transform.vocabulary.field import FIGURE_FIELDS, PARTY_FIELDS, Field

LABEL_LENGTH = 90

_FIELD_BY_LABEL = {
    fold(label): field
    for tables in (company.LABELS, business.LABELS, others.LABELS)
    for field, labels in tables.items()
    for label in labels
}
_WORDS = re.compile(r"[^\W\d_]+")
_LABEL_WORDS = frozenset(word for label in _FIELD_BY_LABEL for word in _WORDS.findall(label))
AMBIGUOUS_FORM_LABELS = frozenset(
    fold(label)
    for label in ("tip", "tipul", "tip companie", "тип", "type", "kind", "правовой статус", "вид организации")
)
"""Labels that announce a legal form on some pages and another classification on others."""

_OWNER = re.compile(
    r"(?:^company |^business |^firm |^entity |^enterprise )"
    r"|(?: (?:al |a |ale |ai )?(?:companiei|intreprinderii|firmei|societatii|organizatiei|entitatii|persoanei juridice|"
    r"agentului economic|companie|intreprindere|firma|"
    r"компании|предприятия|фирмы|организации|общества|юридического лица|юрлица|юр\. лица|"
    r"of (?:the )?(?:company|business|entity|enterprise|firm|organi[sz]ation|legal entity)))$"
)
# Notes in parentheses after a label; the label means the same without them.
_NOTE = re.compile(
    r"""\s*[(\[](?:
      \d+ | % | mdl | lei | idno | idnp | cod\ fiscal | идно | фискальный\ код | fiscal\ code | opf | опф
    | cot[ae](?:-part[ei])? | cota,?\ % | доли | доля,?\s?%? | shares? | share,?\ % | i | e | ii | ий | s
    | in\ lei | in\ mdl | в\ леях | лей | леев | conform\ rsud | rsud | conform\ registrului | по\ реестру
    | согласно\ реестру | according\ to\ the\ register
    | juridic[ae]? | юридический | юр\.? | legal | completa | полный | full | sediul | sediu | de\ stat | dd\.?mm\.?yyyy
    | asociati | actionari | участники | акционеры | shareholders | владельцы | owners | zz\.?ll\.?aaaa | дд\.?мм\.?гггг
    | actual[ae]? | curent[ae]? | текущий | текущее | current | total:?\ \d+ | всего:?\ \d+ | persoane | лица
    )[)\]]""",
    re.VERBOSE,
)
_UNIT = re.compile(r",\s*(?:in )?(?:lei|mdl|в леях|лей|леев)$")
_KIND = re.compile(
    r"(?<=\w)(?:\s*[–—:/,(-]\s*|\s+)(?:persoan[ae] (?:fizic[ae]|juridic[ae])|физические лица|юридические лица|"
    r"физическое лицо|юридическое лицо|физлица|юрлица|individuals?|legal entit(?:y|ies)|(?:natural|legal) persons?|"
    r"companies|companii|компании|persons|persoane|лица)\)?(?:\s*\(?\d{1,3}\)?)?$"
)
"""The words in a label of parties that restrict it to persons or to companies; a page may have a list for each."""
_HAS_DIGIT = re.compile(r"\d")
_MAY_HAVE_UNIT = re.compile(r"lei|leu|mdl|ле[йея]|eur|usd|ron|mii|mil|mln|тыс|млн|млрд|thous|000|[$€]")
_LEADING_SYMBOLS = re.compile(r"^[^\w(„“«\"'<\[]+")
"""Bullets and emoji before a label."""
_COUNT = re.compile(r"(?:\s*[·•:–—-])?\s*\d{1,3}$")
_LINE = re.compile(rf"([^:：]{{1,{LABEL_LENGTH}}}?)(?:\s*[:：]\s*|\s+[—–-]\s+)(\S.*)", re.DOTALL)
_LABEL_PARTS = re.compile(r"\s*[/()|,]\s*| - | – | — | si | și | и | and | & ")

_ACTION = re.compile(
    r"(?:vezi|arata|afiseaza|deschide|copiaza|copie|copiere|mai mult|toate|toti|pe harta|harta|detalii|obtine|"
    r"показать|смотреть|открыть|скопировать|копировать|подробнее|все|еще|на карте|карта|маршрут|посмотреть|"
    r"show|view|see|open|copy|more|all|on (?:the )?map|map|details|directions|get directions)(?: .{0,40})?"
    r"|profil|profilul|profile|профиль"
)


@lru_cache(maxsize=8192)
def field_of(text: str) -> Field | None:
    """Return the field that a text announces if the whole text is a label, else None.

    A colon at the end, a count, a note in parentheses and the words "of the company" in any language are ignored:
    "FONDATORI (2):", "Adresa companiei".
    """
    if len(text) > LABEL_LENGTH:
        return None
    label = _LEADING_SYMBOLS.sub("", fold(text).rstrip(" :：*?"))
    if not label:
        return None
    field = _field_of_folded(label)
    # A number after a key figure is its amount; after another label, it counts the entries of a list.
    return None if field in FIGURE_FIELDS and _HAS_DIGIT.search(without_units(label)) else field


def _field_of_folded(label: str) -> Field | None:
    if field := _known_field(label) or _known_field(_COUNT.sub("", label)) or _figure_with_unit(label):
        return field
    if titles.OTHER_COMPANIES.fullmatch(_COUNT.sub("", _NOTE.sub("", label))):
        return Field.ELSEWHERE
    if _is_former(label) or _is_former(_COUNT.sub("", label)):
        return Field.HISTORY
    if _has_no_label_word(label):
        return None
    if (kind := _KIND.search(label)) and (field := _known_field(label[: kind.start()])) in PARTY_FIELDS:
        return field
    # "IDNO / Cod fiscal" names one field twice; "Adresa / CUATM" names two and is ambiguous.
    fields = {_known_field(part) for part in _LABEL_PARTS.split(_COUNT.sub("", _NOTE.sub("", label))) if part}
    return fields.pop() if len(fields) == 1 else None


def _is_former(label: str) -> bool:
    """Tell whether a text is the label of a former value: "foști fondatori", "прежний адрес", "old address"."""
    if titles.ABOUT_CHANGES.fullmatch(label):
        return True
    if (until := titles.UNTIL.fullmatch(label)) and _known_field(until[1]):
        return True
    match = titles.FORMER_LABEL.fullmatch(_NOTE.sub("", label))
    if match is None:
        return False
    thing = (match["before"] or match["after"]).strip(" :()")
    thing = thing.removeprefix("ale ").removeprefix("of ")
    return thing in titles.FORMER_NOUNS or _known_field(thing) not in (None, Field.ELSEWHERE, Field.HISTORY)


def _has_no_label_word(label: str) -> bool:
    """Tell whether a folded text contains no word of any label, like most values; then no part of it is a label."""
    return _LABEL_WORDS.isdisjoint(_WORDS.findall(label))


def _known_field(label: str) -> Field | None:
    if _has_no_label_word(label):
        return None
    plain = _UNIT.sub("", _NOTE.sub("", label)).strip(" :")
    return (
        _FIELD_BY_LABEL.get(label)
        or _FIELD_BY_LABEL.get(plain)
        or _FIELD_BY_LABEL.get(_OWNER.sub("", plain).strip())
        or _FIELD_BY_LABEL.get(plain.removeprefix("lista ").removeprefix("список ").removeprefix("list of "))
    )


def _figure_with_unit(label: str) -> Field | None:
    """Return the key figure of a label that names its unit: "Total active, mii lei"."""
    field = _known_field(without_units(label)) if _MAY_HAVE_UNIT.search(label) else None
    return field if field in FIGURE_FIELDS else None


def label_in_line(text: str) -> tuple[Field, str] | None:
    """Split a line into the field that its label announces, and the text after the colon or dash.

    Return None if the line does not begin with a label.

    "Adresa: str. Pilda, 1" → (ADDRESS, "str. Pilda, 1").
    """
    # Most texts have neither a colon nor a dash, and looking for them is faster than the expression.
    has_mark = ":" in text or "-" in text or "–" in text or "—" in text or "：" in text
    match = _LINE.fullmatch(text) if has_mark else None
    field = field_of(match[1]) if match else None
    return (field, match[2]) if match and field else None


def is_action(text: str) -> bool:
    """Tell whether a text is a link or button for an action ("Vezi pe hartă", "Copy"), not a fact of the company."""
    return len(text) <= 60 and _ACTION.fullmatch(fold(text).strip(" ()[]→›»…+.")) is not None
