"""Words in and beside the names of companies: legal forms, badges, remarks, in three languages."""

import re
from functools import lru_cache

from pipeline.transform.source_text import fold, words
from pipeline.transform.vocabulary.statuses import status_of
from pipeline.transform.vocabulary.terms import legal_form_of

_FORMS = frozenset(
    words(
        """
        srl | llc | ltd | gmbh | snc | scs | ооо | зао | оао | чп | ип | кх | кфх | ics | icm | icsrl | gt |
        societate cu raspundere limitata | societatea cu raspundere limitata | societate comerciala |
        societatea comerciala | societate pe actiuni | societatea pe actiuni | intreprindere individuala |
        intreprinderea individuala | gospodarie taraneasca | gospodaria taraneasca | de fermier |
        intreprindere de stat | intreprinderea de stat | intreprindere municipala | intreprinderea municipala |
        intreprinderea cu capital strain | intreprinderea mixta | asociatia obsteasca | asociatie obsteasca |
        cooperativa de productie | cooperativa de consum | cooperativa de intreprinzator | institutia publica |
        institutie publica | fundatia | общество с ограниченной ответственностью | акционерное общество |
        индивидуальное предприятие | крестьянское хозяйство | фермерское хозяйство | государственное предприятие |
        муниципальное предприятие | limited liability company | joint stock company
        """
    )
)
_SHORT_FORMS = frozenset(
    words("sa | ii | im | is | ip | ao | sc | cp | ci | cc | ong | ап | ао | гп | мп | spa | inc | plc")
)
"""Legal forms that are also ordinary words. They count only as the first or the last word of a name."""
_DOTS = re.compile(r"(?<=\b[^\W\d_])\.\s?(?=[^\W\d_]\b|\W|$)")
_WORD = re.compile(r"\w+")
_LONG_FORMS = re.compile("|".join(sorted((rf"\b{form}\b" for form in _FORMS), key=len, reverse=True)))

_BADGE = re.compile(
    r"""
      verificat[aă]? | companie\ verificata | profil\ verificat | verified | проверен[оаы]? | проверенная\ компания
    | (?:плательщик\ )?ндс | (?:platitor\ (?:de\ )?)?tva(?:\ (?:activ|inactiv|da|nu))? | platitor\ de\ tva
    | vat(?:\ payer|\ registered)?
    | top[\s-]?\d+(?:\ .{0,40})? | топ[\s-]?\d+(?:\ .{0,40})? | no?\.?\ ?\d+ | nr\.?\ ?\d+ | № ?\d+ | \#\d+
    | nou | noua | new | новая | новое | premium | pro | plus | gold | vip | recomandat[a]? | recommended
    | exportator | importator | exporter | importer | экспортер | импортер | partener | partner | партнер
    | imm | intreprindere\ mica | microintreprindere | micro | sme | мсп | startup | it\ park | mitp | rezident\ mitp
    | favorite? | favorita | избранное | urmareste | urmarit | follow | подписаться | beta
    | [★☆⭐]+\ ?[\d.,/]* | [\d.,]+\ ?(?:/\ ?[\d.,]+|[★☆⭐])
    | rating:?\ [\d.,a-f+]+ | рейтинг:?\ [\d.,]+ | [a-d][+-]{1,2}
    | risc\ (?:scazut|mediu|ridicat|mic|mare|redus) | (?:low|medium|high)\ risk | (?:низкий|средний|высокий)\ риск
    | companie | company | компания | firma | фирма | persoana\ juridica | legal\ entity
    | юридическое\ лицо | юр\.?\ лицо | md | rm | 🇲🇩 | moldova | молдова | rezident | nerezident | resident | резидент
    """,
    re.VERBOSE,
)
_STATE = re.compile(
    r"""(?:companie\ |firma\ |societate\ |aflata\ )?(?:
      (?:in|aflata\ in)\ (?:curs\ de\ |proces\ de\ |procedura\ de\ )?
        (?:lichidare|insolvabilitate|reorganizare|faliment|dizolvare|radiere|restructurare|suspendare)
    | in\ (?:proces|curs|procedura)(?:ul|a)?\ (?:de\ )?[a-z]+ | procedura\ (?:de\ )?insolvabilit\w+ | insolvabila
    | activitate(?:a)?\ suspendata | suspendata | (?:radiat|lichidat|dizolvat|exclus|desfiintat|inchis)a?(?:\ .{1,40})?
    | (?:в\ (?:процессе|стадии|процедуре)\ )?(?:ликвидации|банкротства|реорганизации|исключения)
    | ликвидируется | реорганизуется | в\ (?:ликвидации|реорганизации) | приостановлен[ао]?
    | (?:ликвидирован|исключен|закрыт|прекращен)[ао]?(?:\ .{1,40})? | банкрот | недействующ(?:ая|ее|ий)
    | (?:in|under)\ (?:the\ process\ of\ )?
        (?:liquidation|insolvency|bankruptcy|reorgani[sz]ation|dissolution|administration)
    | being\ (?:liquidated|dissolved|struck\ off) | suspended | bankrupt | insolvent
    | (?:struck\ off|dissolved|liquidated|deregistered|closed|wound\ up|removed)(?:\ .{1,40})? | inactiva? | inactive
    )""",
    re.VERBOSE,
)
_FORMER = re.compile(
    r"(?:fost[aă]?|denumire(?:a)? (?:anterioara|veche)|anterior|ex[.:-]|ex|former(?:ly)?|previously|бывш(?:ая|ее|ий)|"
    r"ранее|прежнее (?:название|наименование)|бывш\.|f\.k\.a\.?|aka|a\.k\.a\.?|cunoscuta ca|"
    r"prescurtat|abreviat|pe scurt|сокращенно|кратко)[\s:]+\S.*"
)
_DESCRIPTION = re.compile(
    r"""(?:date|datele|informatii|profil|profilul|fisa|detalii|fondatori|administratori|adresa|idno|contacte|companie|
      firma|данные|информация|профиль|карточка|учредители|адрес|реквизиты|сведения|компания
    | profile|details|information|company|founders|address|contacts|data|about|overview)
    (?:[\s,]+(?:despre|companie|companiei|firma|firmei|si|date|adresa|fondatori|administratori|contacte|idno|financiare|
      о|об|и|компании|фирме|адрес|учредители|руководители|реквизиты
    | profile|details|information|company|and|founders|address|directors|data|financials|about)){0,6}""",
    re.VERBOSE,
)


def has_legal_form(text: str) -> bool:
    """Tell whether a text contains a legal form as names of companies do.

    "ERROR STUDIO S.R.L.", "ÎM „Apă-Canal”" → True; "Va rugăm sa reveniți" → False
    """
    plain = _undotted(text)
    if _LONG_FORMS.search(plain):
        return True
    found = _WORD.findall(plain)
    return len(found) > 1 and (found[-1] in _SHORT_FORMS or found[0] in _SHORT_FORMS)


def ends_with_legal_form(text: str) -> bool:
    """Tell whether the last word of a name is a legal form."""
    found = _WORD.findall(_undotted(text))
    return len(found) > 1 and (found[-1] in _SHORT_FORMS or found[-1] in _FORMS)


@lru_cache(maxsize=2048)
def core_of_name(text: str) -> str:
    """Return the words of a name without legal forms and quotes, for comparison.

    "„PLOPENA AGRO” S.R.L." and "Societatea cu răspundere limitată Plopena Agro" → "plopena agro"
    """
    found = _WORD.findall(_LONG_FORMS.sub(" ", _undotted(text)))
    while len(found) > 1 and found[-1] in _SHORT_FORMS:
        found.pop()
    while len(found) > 1 and found[0] in _SHORT_FORMS:
        found.pop(0)
    return " ".join(found)


def _undotted(text: str) -> str:
    """Return a folded text in which abbreviations have no dots: "S.R.L." → "srl"."""
    return _DOTS.sub("", fold(text))


def is_name_shaped(text: str) -> bool:
    """Tell whether a text looks like a company's name: it has a legal form, or quotes, or no small letters.

    "Grădina Bunicii SRL", "ÎI „Cojocaru Andrei”", "PLOPENA AGRO" → True; "Revenim mâine" → False
    """
    letters = [letter for letter in text if letter.isalpha()]
    if not letters:
        return False
    if has_legal_form(text) or (len(letters) > 1 and not any(letter.islower() for letter in letters)):
        return True
    return text[:1] in '„«“"' and text[-1:] in '”»“"'


def is_badge(text: str) -> bool:
    """Tell whether a text is one that pages show beside a name: a status, a legal form, "verificat", "Top 100"."""
    if len(text) > 60:
        return False
    plain = fold(text).strip(" .!•●✓✔✅✗✘○⬤🟢🔴()[]")
    return (
        not plain
        or status_of(text) is not None
        or legal_form_of(text) is not None
        or _BADGE.fullmatch(plain) is not None
        or _STATE.fullmatch(plain) is not None
    )


def is_state(text: str) -> bool:
    """Tell whether the whole text says that a company is not simply active: "în proces de lichidare", "(radiată)"."""
    return len(text) <= 80 and _STATE.fullmatch(fold(text).strip(" .!()[]")) is not None


def is_former_name(text: str) -> bool:
    """Tell whether a text states another name of the company: "fosta ALFA FRUCT SRL", "formerly ALFA"."""
    return _FORMER.fullmatch(fold(text).strip(" ()[]")) is not None


def is_description(text: str) -> bool:
    """Tell whether the whole text describes the page: "date despre companie", "profil, fondatori, adresa"."""
    return len(text) <= 80 and _DESCRIPTION.fullmatch(fold(text).strip(" .,")) is not None
