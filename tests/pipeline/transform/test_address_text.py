"""Tests of the grammar of addresses."""

import pytest

from pipeline.transform.address_text import read_address
from pipeline.transform.grammar import Parsed


@pytest.mark.parametrize(
    "text",
    [
        "MD-2001, mun. Chișinău, str. Pilda, 12, ap. 3",
        "MD-2001, CHIȘINĂU CENTRU, mun. Chișinău, Fierarilor, 2, ap. 3",
        "MD-4801, or. Criuleni, str. 31 August 1989, 5",
        "MD-5001, Florești, 12 Ștefan cel Mare str.",
        "MD-3300, Soroca, str. Alexandru cel Bun, 21",
        "r-l Nisporeni, s. Vărzărești-Model",
        "r-nul Telenești, s. Ratuș",
        "or. Basarabeasca, Tăietorilor, 2",
        "Chisinau, 44 Lantern Street, apt. 9",
        "MD-2012, Chisinau, 15 Rope Makers Street, office 3",
        "Гагаузия, г. Комрат, ул. Полынная, 17",
        "мун. Кишинёв, ул. Тома Чорбэ, 3, кв. 12",
        "mun. Chișinău, sec. Râșcani, bd. Moscovei Noi, 21/4, et. 2, bir. 15A",
        "MD-2028, Chișinău, str. Gh. Asachi 71/1",
        "Chișinău",
        "SOROCA",
        "Комрат",
        "mun. Bălți",
        "Str. Mihai Viteazul 11, Chișinău, Moldova",
        "str. „Ghilimele” nr. 1",
        "str. Nu-mă-uita, 5",
        "str. Adresa Veche, 3",
        "str. Ismail (Izmail), 98 bl. 2",
        "bd. Ștefan cel Mare și Sfânt, nr. 65, of. 410",
        "șos. Hâncești, 38A, mun. Chișinău, MD-2028",
        "MD-6801, r-l Ialoveni, or. Ialoveni, str. Podgoriei, 3 bl. 2",
        "Pilda, 12",
        "r-l Orhei, com. Peresecina, extravilan",
        "România, jud. Iași, mun. Iași, str. Păcurari, 10",
        "MD-2001, USEJEMU, r-nul Usejemu, Șamipo cez Ivosorur, 19, ap. 52",
        "Chișinău, str. Calea Ieșilor 10; MD-2069",
        "MD-2001, Chișinău",
        "MD-2001",
        "St. Stephen the Great Ave., 134, Chisinau",
    ],
)
def test_address_is_read_as_written(text: str) -> None:
    assert read_address(text) == Parsed(text)


@pytest.mark.parametrize(
    ("text", "address", "remark"),
    [
        ("str. Pilda, 1 (sediul juridic)", "str. Pilda, 1", "sediul juridic"),
        ("ул. Полевая, 14 (юридический адрес)", "ул. Полевая, 14", "юридический адрес"),
        ("1 Pilda street, Chisinau (registered office)", "1 Pilda street, Chisinau", "registered office"),
        ("str. Pilda, 1 (din 12.03.2015)", "str. Pilda, 1", "din 12.03.2015"),
    ],
)
def test_known_remark_after_an_address_is_kept(text: str, address: str, remark: str) -> None:
    assert read_address(text) == Parsed(address, (remark,))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0",
            "1",
            ",",
            "-1",
            "12",
            "Statut",
            "pilda",
            "Da",
            "Nu",
            "Test",
            "MD",
            "Adresa",
            "str.",
            "mun., str., nr.",
        ),
        *("Lorem ipsum dolor sit amet", "Dolor sit amet", "undefined, undefined", "null, null", "NaN"),
        *("{{ company.address }}", "${address}", "[object Object]", "Invalid Date", "undefined, Chișinău"),
        *("Conectați-vă pentru a vedea adresa", "Войдите, чтобы увидеть адрес", "Sign in to see the address"),
        *("Se încarcă adresa…", "Загрузка адреса…", "Loading address...", "Vezi pe hartă", "Arată adresa"),
        *("MD-5601, or. Rîșcani, str. Alexei Mate…", "mun. Chișinău, str. Vasile Al...", "str. Pilda [...]"),
        *(
            "Adresa nu a fost actualizată din 2015",
            "Sediul nu este public",
            "Адрес доступен на платном тарифе",
        ),
        *("Adresa este ascunsă la cererea companiei", "Contactați-ne la 022 123456", "We moved to Chisinau"),
        *("str. Pilda, 1, tel. 022 123456", "str. Pilda, 1 (fosta adresă)", "str. Pilda, 1 Vezi pe hartă"),
        *(
            "str. Pilda, 1 (până la 01.02.2020)",
            "ул. Полевая, 14 (прежний адрес)",
            "str. Pilda, 1, IDNO 1020999000019",
        ),
        *(
            "str. Veche, 1; str. Nouă, 2",
            "info@pilda.md",
            "www.pilda.md",
            "+373 22 123 456",
            "50%",
            "12.03.2015",
        ),
        *(
            "MODELEANU ION (50%)",
            "Companie fără sediu stabil în 3 raioane",
            "A" * 400,
            "Activă",
            "SRL",
            "Foo, Bar",
        ),
        *("<b>str. Pilda, 1</b>", "str. Pilda, 1 <br> Chișinău", "Date cu caracter personal", "Confidențial"),
        *(
            "Adresă indisponibilă temporar",
            "Sediu social: vezi extrasul",
            "company.address.fullName",
            "Copiați adresa",
        ),
        *(
            "str. Veche, 1 str. Nouă, 2",
            "Stradă necunoscută",
            "Strada nu este indicată",
            "str. Veche, 1, str. Nouă, 2",
        ),
    ],
)
def test_text_that_is_not_one_complete_address_is_unread(text: str) -> None:
    read = read_address(text)
    assert read.value is None
    assert read.reason is not None
