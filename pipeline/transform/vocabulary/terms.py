"""Meanings of the source's words for statuses, legal forms, roles and kinds of parties, in three languages."""

import re

from pipeline.transform.source_text import comparison_key, fold, words
from warehouse.records.models import PartyKind

_LEGAL_FORMS: dict[str, list[str]] = {
    "SRL": words(
        """
        societate cu raspundere limitata | societatea cu raspundere limitata | limited liability company |
        общество с ограниченной ответственностью | ооо | llc | ltd | private limited company |
        limited liability partnership company | компания с ограниченной ответственностью | limited company
        """
    ),
    "SA": words(
        """
        societate pe actiuni | societatea pe actiuni | societate pe actiuni de tip deschis |
        societate pe actiuni de tip inchis | акционерное общество | ао | joint stock company | jsc
        | joint-stock company | открытое акционерное общество | закрытое акционерное общество | joint stock
        | public limited company | stock company | joint-stock
        """
    ),
    "ÎI": words(
        """
        intreprindere individuala | intreprinderea individuala | индивидуальное предприятие | ип |
        individual enterprise | sole proprietorship | sole proprietor | intreprinzator individual |
        individual entrepreneur | индивидуальный предприниматель | sole trader | individual undertaking
        """
    ),
    "GȚ": words(
        """
        gospodarie taraneasca | gospodaria taraneasca | gospodarie taraneasca (de fermier) |
        фермерское хозяйство | gospodaria taraneasca (de fermier) | крестьянское хозяйство | peasant farm |
        peasant household | кх | крестьянское (фермерское) хозяйство | farm | peasant (farmer) household |
        farm household | кфх | peasant (farmer) farm | farm enterprise | peasant farm (farmer) |
        крестьянское хозяйство (фермерское) | gospodarie de fermier | gospodarie taraneasca de fermier |
        peasant enterprise | peasant (farmer's) farm
        """
    ),
    "ÎS": words(
        """
        intreprindere de stat | intreprinderea de stat | государственное предприятие | гп | state enterprise
        | state-owned enterprise | state owned enterprise | state company
        """
    ),
    "ÎM": words(
        """
        intreprindere municipala | intreprinderea municipala | муниципальное предприятие | мп |
        municipal enterprise | municipal company
        """
    ),
    "CP": words(
        """
        cooperativa de productie | cooperativa de producere | производственный кооператив |
        production cooperative | producers' cooperative | пк
        """
    ),
    "CI": words(
        """
        cooperativa de intreprinzator | предпринимательский кооператив | entrepreneurial cooperative |
        cooperativa de intreprinzatori | entrepreneurs' cooperative
        """
    ),
    "CC": words(
        """
        cooperativa de consum | потребительский кооператив | consumer cooperative
        """
    ),
    "SNC": words(
        """
        societate in nume colectiv | полное товарищество | general partnership
        """
    ),
    "SC": words(
        """
        societate in comandita | коммандитное товарищество | limited partnership
        """
    ),
    "AO": words(
        """
        asociatie obsteasca | asociatia obsteasca | общественное объединение | public association
        """
    ),
    "ONG": words(
        """
        organizatie necomerciala | organizatie neguvernamentala | неправительственная организация
        """
    ),
    "IP": words(
        """
        institutie publica | institutia publica | публичное учреждение | public institution
        """
    ),
}
_FORM_NAMES = {
    "SRL": "Societate cu răspundere limitată",
    "SA": "Societate pe acțiuni",
    "ÎI": "Întreprindere individuală",
    "GȚ": "Gospodărie țărănească (de fermier)",
    "ÎS": "Întreprindere de stat",
    "ÎM": "Întreprindere municipală",
    "CP": "Cooperativă de producție",
    "CI": "Cooperativă de întreprinzător",
    "CC": "Cooperativă de consum",
    "SNC": "Societate în nume colectiv",
    "SC": "Societate în comandită",
    "AO": "Asociație obștească",
    "ONG": "Organizație necomercială",
    "IP": "Instituție publică",
}
_CODE_BY_FORM = {comparison_key(name): code for code, names in _LEGAL_FORMS.items() for name in names}
_FOLDED_CODES = {comparison_key(code): code for code in _LEGAL_FORMS}
_LEGAL_FORM_HALVES = re.compile(r"\s+[–—/·-]\s+|[()\[\],]")

_ROLES = frozenset(
    fold(role)
    for role in words(
        """
        actionar | administrator | administrator autorizat | administrator fiduciar |
        administrator interimar | administrator provizoriu | administrator special | administrator unic |
        asociat | asociat unic | board member | ceo | chairman | chief executive | conducator | contabil-sef
        | director | director executiv | director general | executive director | fondator | fondator unic |
        founder | general director | general manager | head | interim administrator | lichidator |
        liquidator | manager | manager general | managing director | membru | owner | presedinte | president
        | representative | reprezentant | sef | shareholder | sole administrator | sole founder |
        sole shareholder | vicedirector | vicepresedinte | администратор | администратор (директор) |
        акционер | временный администратор | генеральный директор | директор | единственный администратор |
        единственный учредитель | исполнительный директор | ликвидатор | начальник | председатель |
        представитель | президент | руководитель | управляющий | участник | учредитель | член
        """
    )
)
_KINDS: dict[PartyKind, list[str]] = {
    PartyKind.COMPANY: words(
        """
        persoana juridica | companie | юридическое лицо | компания | legal entity | company | pj | юр. лицо
        | legal person | юрлицо | persoană juridică străină | foreign company | предприятие | organization
        """
    ),
    PartyKind.PERSON: words(
        """
        persoana fizica | физическое лицо | individual | person | natural person | pf | физ. лицо | persoana
        | физлицо | private individual
        """
    ),
}
_KIND_BY_WORD = {fold(word): kind for kind, words in _KINDS.items() for word in words}
_COMPANY_WORDS = frozenset(
    comparison_key(word)
    for word in words(
        """
        ab | ag | agency | agentia | asociatia | banca | bank | beteiligungs | bv | capital | compania |
        companie | company | consiliul | corp | corporation | fond | fundatia | gmbh | group | grup | gt |
        holding | holdings | ics | ii | im | inc | international | intreprindere | intreprinderea | invest |
        is | kft | limited | llc | llp | lp | ltd | ministerul | ou | oy | partners | plc | primaria | pte |
        sa | sarl | sia | societate | societatea | spa | srl | sro | trust | uab | ао | группа | зао |
        компания | оао | общество | ооо | фонд | холдинг
        """
    )
)


def legal_form_of(text: str) -> str | None:
    """Return the code of the legal form that a text means ("S.R.L.", "Societate pe acțiuni"), or None."""
    if len(text) > 120:
        return None
    if code := _legal_form_code(text):
        return code
    # In "SRL — Societate cu răspundere limitată" and "Societate pe acțiuni (SA)", both parts must mean the same form.
    halves = {_legal_form_code(part) for part in _LEGAL_FORM_HALVES.split(text) if part.strip()}
    return halves.pop() if len(halves) == 1 else None


def legal_form_name(code: str | None) -> str | None:
    """Return the Romanian name of a legal form from its code, or None if the code is unknown."""
    return _FORM_NAMES.get(code) if code else None


def _legal_form_code(text: str) -> str | None:
    return _FOLDED_CODES.get(comparison_key(text)) or _CODE_BY_FORM.get(comparison_key(text))


def is_role(text: str) -> bool:
    """Tell whether the whole text is the role of a party."""
    return len(text) <= 60 and fold(text).strip(" .:()[]") in _ROLES


def kind_of(text: str) -> PartyKind | None:
    """Return the kind of party that the whole text means, or None."""
    return _KIND_BY_WORD.get(fold(text).strip(" .:()[]")) if len(text) <= 60 else None


def sounds_like_company(name: str) -> bool:
    """Tell whether a party's name contains a word that only companies have in their names."""
    return (
        any(comparison_key(word) in _COMPANY_WORDS for word in name.replace("-", " ").split())
        or comparison_key(name) in _COMPANY_WORDS
    )
