"""Meanings of the source's words for statuses and legal forms, in three languages."""

import re

from pipeline.transform.source_text import comparison_key, fold, words

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
FORM_TEXTS = tuple(fold(name) for names in _LEGAL_FORMS.values() for name in names if " " in name)
"""The names of legal forms with several words, folded."""
_FOLDED_CODES = {comparison_key(code): code for code in _LEGAL_FORMS}
_LEGAL_FORM_HALVES = re.compile(r"\s+[–—/·-]\s+|[()\[\],]")


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
