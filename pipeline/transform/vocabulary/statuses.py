"""Words for the status of a company in Romanian, Russian and English, and remarks beside it; compared after `fold`."""

import re
from enum import StrEnum

from pipeline.transform.date_text import MONTH
from pipeline.transform.source_text import words
from warehouse.folding import fold
from warehouse.records.models import CompanyStatus

_STATUSES: dict[CompanyStatus, list[str]] = {
    CompanyStatus.ACTIVE: words(
        """
        activ | activa | in activitate | functionala | activeaza | in functiune | functioneaza |
        activă în prezent | operationala | valabila | în vigoare | functional | inregistrata si activa |
        активна | активная | активен | активный | активно | активное | действующая | действует | действующий
        | действующее | работает | функционирует | в деятельности | актив | функционирующая | active |
        operating | in operation | operational | trading | currently active | in business | companie activa
        | active company | действующая компания | активная компания | intreprindere activa |
        действующее предприятие | firma activa | societate activa | company is active | in existence
        """
    ),
    CompanyStatus.INACTIVE: words(
        """
        inactiv | inactiva | neactiva | neactiv | lichidata | lichidat | radiata | radiat | desfiintata |
        companie inactiva | companie lichidata | inchisa | dizolvata | nu activeaza | incetata | exclusa |
        radiata din registru | lichidată (radiată) | firma inactiva | intreprindere inactiva | desființat |
        неактивна | неактивная | неактивен | недействующая | не действует | ликвидирована | неактивное |
        ликвидировано | исключена | недействующий | ликвидированная | неактивно | закрыта | ликвидирован |
        неактивный | недействующее | не активна | не активен | не работает | неактивная компания | закрыто |
        прекратила деятельность | исключена из реестра | недействующая компания | прекращена | упразднена |
        деятельность прекращена | ликвидированная компания | снята с учета | не активно | inactive |
        not active | liquidated | dissolved | closed | deregistered | struck off | ceased | inactive company
        | defunct | terminated | no longer active | removed | wound up | removed from register
        """
    ),
}
# These words are read as a status only next to the label of a status; elsewhere they are ambiguous.
_LABELLED_STATUSES: dict[CompanyStatus, list[str]] = {
    CompanyStatus.ACTIVE: words("inregistrata | inregistrat | registered | зарегистрирована | true"),
    CompanyStatus.INACTIVE: words("false"),
}
_STATUS_BY_WORD = {fold(word): status for status, words_ in _STATUSES.items() for word in words_}
_LABELLED_STATUS_BY_WORD = {
    fold(word): status for status, words_ in _LABELLED_STATUSES.items() for word in words_
}
_LONGEST = 60
_SYMBOLS = " .!•●✓✔✗✘○⬤🟢🔴🟡🟠"
_SUBJECT = re.compile(
    r"(?:(?:compania|societatea|intreprinderea|firma|компания|предприятие|the company|company) )?(?:(?:este|is) )?"
)
"""What may stand before the word of a status; "was" and "will be" may not."""
_ENDED = re.compile(
    r"""(?:(?:compania|societatea|intreprinderea|firma|entitatea|persoana\ juridica|организация|компания
      |предприятие|фирма
      |the\ company|company|the\ business|the\ entity)\ )?
    (?:(?:este|e|a\ fost|fost|is|was|has\ been|been|была|был|было)\ )?
    (?:radiat[a]?|lichidat[a]?|exclus[a]?|dizolvat[a]?|desfiintat[a]?|inchis[a]?|incetat[a]?|stears[a]?|sters
      |исключен[ао]?|ликвидирован[ао]?|закрыт[ао]?|снят[ао]?\ с\ учета|прекращен[ао]?|упразднен[ао]?|удален[ао]?
      |прекратил[ао]?(?:\ (?:свою\ )?деятельность)?|a\ incetat(?:\ activitatea)?|(?:si-a\ )?incetat\ activitatea
      |activitatea?\ (?:a\ incetat|incetata)|деятельность\ прекращена
      |struck\ off|dissolved|liquidated|deregistered|de-registered|closed|removed|terminated|wound\ up|ceased|defunct
      |deleted|inactiv[a]?|inactive|неактивн(?:а|ая|о|ое|ый)|недействующ(?:ая|ий|ее))
    (?:\ (?:si|and|и)\ (?:radiat[a]?|lichidat[a]?|исключен[ао]?|ликвидирован[ао]?|struck\ off|dissolved))?
    (?:\ (?:din|de\ la|din\ cadrul)\ (?:registru(?:l)?(?:\ de\ stat)?(?:\ al\ (?:persoanelor\ juridice
      |unitatilor\ de\ drept))?
        |rsud|evidenta|activitate)
      |\ из\ (?:государственного\ )?реестра(?:\ юридических\ лиц)?
      |\ from\ the\ (?:state\ )?regist(?:er|ry)(?:\ of\ legal\ entities)?|\ the\ regist(?:er|ry)|\ trading
        |\ operations)?
    (?:\ (?:din\ oficiu|prin\ fuziune|prin\ absorbtie|prin\ hotararea\ instantei|la\ cerere
      |ca\ urmare\ a\ (?:fuziunii|
        lichidarii|insolvabilitatii|reorganizarii)|voluntar[a]?|in\ urma\ (?:lichidarii|insolvabilitatii|fuziunii)
      |по\ решению\ суда|в\ связи\ с\ ликвидацией|в\ результате\ (?:слияния|ликвидации)|voluntarily|by\ merger
      |by\ court\ order|following\ (?:liquidation|insolvency)))?""",
    re.VERBOSE,
)
"""Says that the company exists no longer, or works no longer."""
_PROCEDURE = re.compile(
    r"""(?:(?:compania|societatea|intreprinderea|firma|организация|компания|предприятие|the\ company|company)\ )?
    (?:(?:este|e|se\ afla|aflat[a]?|is|находится|currently)\ )?
    (?:(?:in|в|under|into|procedur[aei]?|proces(?:ul)?|процедура)\ )?
    (?:(?:curs|curs\ de|proces(?:ul)?|procedur[aei]|procedurii|stare|faza|etapa|процессе?|процедур[аеуы]|стадии
      |process
      |procedure|the\ process|the\ procedure)\ )?
    (?:(?:de|a|of|simplificata\ de)\ )?
    (?:lichidar[ei]i?|lichidarea|insolvabilitat[ei]i?|insolvabila?|insolventei|insolventa|faliment|falimentul|falita?
      |dizolvar[ei]i?
      |reorganizar[ei]i?|restructurar[ei]i?|radiere|radierii|inchidere|lichidare\ silita|fuziune|divizare|incetare
      |ликвидации|ликвидация|ликвидируется|банкротств[оаеу]|банкрот|несостоятельности|реорганизации|реорганизация
      |исключения(?:\ из\ реестра)?|закрытия|прекращения(?:\ деятельности)?
      |liquidation|insolvency|insolvent|bankruptcy|bankrupt|dissolution|receivership|administration|reorganization
      |reorganisation|restructuring|winding\ up|winding-up|being\ (?:liquidated|dissolved|wound\ up|struck\ off)
      |strike-off|striking\ off|deregistration)
    (?:\ (?:a\ activitatii|activitatii|a\ companiei|pending|deschisa|inceputa|initiata
      |proceedings?|procedure|process|benevola|fortata|voluntara
      |silita))?""",
    re.VERBOSE,
)
"""Says that the company is being closed or is under a court's control; it is neither plainly active nor inactive."""
_SUSPENDED = re.compile(
    r"""(?:(?:compania|societatea|компания|the\ company|company)\ )?(?:(?:este|e|a\ fost|is|has\ been)\ )?
    (?:(?:temporar|временно|temporarily)\ )?(?:suspendat[a]?|blocat[a]?|sechestrat[a]?|приостановлен[ао]?
      |заблокирован[ао]?
      |suspended|dormant|blocked|frozen|sistat[a]?)(?:\ temporar|\ временно|\ temporarily)?
    | (?:activitate|activitatea)\ (?:este\ )?(?:temporar\ )?(?:suspendata|sistata)(?:\ temporar)?
    | (?:cu\ )?activitate(?:a)?\ suspendata | деятельность\ (?:временно\ )?приостановлена | in\ suspendare
    | activity\ suspended | in\ adormire | non-trading | nu\ desfasoara\ activitate | не\ ведет\ деятельность
    | in\ asteptare | in\ curs\ de\ (?:inregistrare|constituire|verificare) | в\ процессе\ регистрации""",
    re.VERBOSE,
)
_NEUTRAL = re.compile(
    r"""inregistrat[a]?(?:\ (?:in|la)\ (?:registru|rsud|asp|camera\ inregistrarii\ de\ stat))? | зарегистрирован[ао]?
    | registered | reinregistrat[a]? | re-?registered | перерегистрирован[ао]? | reactivat[a]? | reluat[a]?
      | восстановлена
    | (?:conform|potrivit)\ (?:rsud|registrului(?:\ de\ stat)?|asp) | по\ (?:данным\ )?реестр[ау] | rsud
      | in\ registru
    | according\ to\ the\ register | verificat[a]? | проверено | verified | confirmat[a]? | curent | actual
      | in\ prezent
    | (?:ultima\ )?actualizar[ei]a?:? | actualizat[a]?:? | (?:date\ )?(?:actualizate|valabile) | обновлено:?
      | updated:?
    | актуально | as\ of | nu\ (?:este|e|se\ afla)\ in\ (?:proces(?:ul)?\ de\ |procedur[ai]\ de\ )?(?:lichidare
      |insolvabilitate|reorganizare) | fara\ (?:datorii|restrictii|sechestre|interdictii)
    | (?:platitor|platitoare)\ (?:de\ )?tva | плательщик\ ндс | vat\ payer | founded | fondat[a]? | infiintat[a]?""",
    re.VERBOSE,
)
_DATED = re.compile(
    r"(.*?)[\s,:]*(?:(?<!\w)(?:incepand cu|incepind cu|din data de|la data de|din|la|de la|pe|in|prin hotararea din|"
    r"с|от|в|начиная с|по состоянию на|on|since|from|in|at|as of|dated|effective)\s+)?"
    rf"((?<!\w)(?:\d|{MONTH}\.? \d).{{0,30}})"
)
"""A remark that ends with a date: the words, and the date."""


class Standing(StrEnum):
    """What a part of a text says about the existence of the company."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    IN_PROCEDURE = "in procedure"
    """Being closed, under a court's control, or suspended."""
    NEUTRAL = "neutral"
    """A remark that contradicts no status."""


def status_of(text: str) -> CompanyStatus | None:
    """Return the status that the whole text means without a label ("Activă", "● Liquidated"); None if it means none."""
    return _STATUS_BY_WORD.get(fold(text).strip(_SYMBOLS)) if len(text) <= _LONGEST else None


def standing_of(words_: str, *, labelled: bool) -> Standing | None:
    """Return what folded words without a date mean; None if they are not in the vocabulary.

    "activa" → ACTIVE; "radiata din registru" → INACTIVE
    "in proces de lichidare" → IN_PROCEDURE; "in registru" → NEUTRAL

    Args:
        words_: The words.
        labelled: Whether the label of a status stands before them; then "inregistrata" means ACTIVE.
    """
    plain = words_.strip(_SYMBOLS)
    if labelled and (status := _LABELLED_STATUS_BY_WORD.get(plain)):
        return Standing(status)
    if status := _STATUS_BY_WORD.get(_SUBJECT.sub("", plain, count=1)):
        return Standing(status)
    for pattern, standing in _PATTERNS:
        if pattern.fullmatch(plain):
            return standing
    return None


def split_date(folded: str) -> tuple[str, str] | None:
    """Split a folded text into words and the date at its end; None if it does not end with digits or a year.

    "radiata din 02.02.2020" → ("radiata", "02.02.2020")
    """
    match = _DATED.fullmatch(folded)
    return (match[1].strip(" ,:"), match[2]) if match else None


_PATTERNS = (
    (_ENDED, Standing.INACTIVE),
    (_PROCEDURE, Standing.IN_PROCEDURE),
    (_SUSPENDED, Standing.IN_PROCEDURE),
    (_NEUTRAL, Standing.NEUTRAL),
)
