"""Tests of the texts that stand in the place of a value and are none."""

import pytest

from pipeline.transform.source_text import words
from pipeline.transform.vocabulary.placeholders import placeholder_reason, says_no_value


@pytest.mark.parametrize(
    "text",
    [
        *words(
            """
            Conectați-vă pentru a vedea adresa | Autentificaţi-vă | Войдите, чтобы увидеть адрес | Sign in to
            see the address | Адрес доступен после регистрации | Log in to view | Doar pentru utilizatori
            autentificați | Vezi adresa | Upgrade to Premium to unlock | Abonați-vă pentru a afla adresa |
            Available only to subscribers
            """
        ),
        *words(
            "Se încarcă adresa… | Se încarcă... | Загрузка… | Loading address… | Datele se încarcă | Please wait"
        ),
        *words(
            "{{ company.address }} | ${address} | [object Object] | undefined, undefined | NaN, NaN | Invalid Date"
        ),
        *words("{{address}}, {{city}} | {0} | company.address.fullName | null, null | <%= address %>"),
        *words(
            "Lorem ipsum dolor sit amet | Dolor sit amet | Consectetur adipiscing elit | Exemplu de text | Test"
        ),
        *words(
            "0 | 1 | , | < < | ? | RADIAT DIN REGISTRU | Datele lipsesc | Date confidențiale | Скрыто | TBA"
        ),
        *words(
            "A apărut o eroare | Ошибка загрузки | Failed to load address | Temporar indisponibilă | Coming soon"
        ),
    ],
)
def test_text_in_the_place_of_a_value_is_a_placeholder(text: str) -> None:
    assert placeholder_reason(text) is not None


@pytest.mark.parametrize(
    "text",
    words(
        """
        MODELEANU ION | LOGIN DESIGN SRL | HIDDEN GEMS SRL | CONFIDENTIAL SRL | PLEASE SRL | WAIT SRL | S.R.L. |
        999.md | ERROR STUDIO SRL | PREMIUM AUTO SRL | LOADING DOCK SRL | Nullarbor | UNDEFINED STUDIO SRL |
        str. Pilda, 1 | LOREM SRL | TEST GRUP SRL | TODORA ION | 12.03.2015 | Intrarea Nouă, 2 | OBJECT OBJECT
        SRL
        """
    ),
)
def test_name_or_address_with_a_word_of_a_placeholder_is_none(text: str) -> None:
    assert placeholder_reason(text) is None
    assert not says_no_value(text)


@pytest.mark.parametrize(
    "text",
    words(
        "— | N/A | null | undefined | Nu este indicată | Адрес не указан | Address not available | ... | н/д"
    ),
)
def test_text_that_says_there_is_no_value_leaves_the_field_empty(text: str) -> None:
    assert says_no_value(text)
    assert placeholder_reason(text) is None
