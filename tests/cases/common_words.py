"""Words that identify no company and that the readers depend on: labels, legal forms, roles, parts of addresses."""

import re
from functools import cache

from pipeline.transform.html.columns import column_of
from pipeline.transform.source_text import fold, parse_date, text_or_none
from pipeline.transform.vocabulary import business, company, others
from pipeline.transform.vocabulary.labels import field_of, is_action
from pipeline.transform.vocabulary.party_words import kind_of, role_words_of, sounds_like_company
from pipeline.transform.vocabulary.statuses import standing_of
from pipeline.transform.vocabulary.terms import legal_form_name, legal_form_of

LETTERS = re.compile(r"(?:[^\W\d_][\u0300-\u036f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]*)+")
"""A word: letters, with combining marks and invisible characters between them."""
SHORTEST = 3

_LEGAL_FORMS = ("SRL", "SA", "ÎI", "GȚ", "ÎS", "ÎM", "CP", "CI", "CC", "SNC", "SC", "AO", "ONG", "IP")
_ADDRESSES = """
    str strada stradela bdul bulevardul sos soseaua calea aleea piata nul nord mun municipiul raion raionul sat satul
    com comuna oras orasul orasului bloc blocul scara etaj etajul apartament apartamentul casa oficiul sect sectorul
    chisinau centru botanica buiucani buicani ciocana riscani rascani moldova republica
    улица бул бульвар просп проспект пер переулок дом кв квартира район мун город село коммуна сектор
    street avenue boulevard apartment building district village
"""
_FORMS = """
    societatea societate cu raspundere raspunderii limitata actiuni intreprinderea intreprindere individuala
    municipala gospodaria taraneasca fermier cooperativa productie consum obsteasca publica
    companiei intreprinderii firmei societatii organizatiei entitatii persoanei juridice fizice
    общество ограниченной ответственностью акционерное предприятие индивидуальное хозяйство крестьянское
    фермерское государственное муниципальное компании предприятия фирмы организации общества лица
    limited liability joint stock individual enterprise peasant farm state municipal
"""
_NAMED_ROLES = """
    administrator administratorul autorizat fiduciar interimar provizoriu special unic asociat fondator director
    executiv general manager presedinte reprezentant lichidator actionar contabil sef membru
"""
_ADDRESSES_OF_PAGES = "http https www com org net html mailto tel null true false"


@cache
def _words_of_labels() -> frozenset[str]:
    tables = (company.LABELS, business.LABELS, others.LABELS)
    labels = [label for table in tables for labels in table.values() for label in labels]
    forms = [name for code in _LEGAL_FORMS if (name := legal_form_name(code))]
    texts = (*labels, *forms, _ADDRESSES, _FORMS, _NAMED_ROLES, _ADDRESSES_OF_PAGES)
    return frozenset(fold(word) for text in texts for word in LETTERS.findall(text))


@cache
def is_common(word: str) -> bool:
    """Tell whether a word need not be replaced: it is too short, or the transformation knows it."""
    folded = fold(word)
    return (
        len(folded) < SHORTEST
        or folded in _words_of_labels()
        or field_of(folded) is not None
        or column_of(folded) is not None
        or standing_of(folded, labelled=True) is not None
        or legal_form_of(folded) is not None
        or kind_of(folded) is not None
        or text_or_none(folded) is None
        or role_words_of(folded) is not None
        or is_action(folded)
        or sounds_like_company(folded)
        or parse_date(f"1 {folded} 2020") is not None
    )
