"""The company's name in a heading, and the proof that a page is a company's page."""

import json
from datetime import date

import pytest

from pipeline.transform.html.page_reader import read_html
from pipeline.transform.merge import NotThisCompany, transform
from standin.site_facts import make_idno
from warehouse.records.models import CompanyStatus

IDNO, OTHER = make_idno(1), make_idno(2)
FACTS = f"<dl><dt>IDNO</dt><dd>{IDNO}</dd><dt>Data înregistrării</dt><dd>12.03.2015</dd></dl>"
ONLY_IDNO = f"<dl><dt>IDNO</dt><dd>{IDNO}</dd></dl>"


def page(heading: str, content: str = FACTS, title: str = "") -> str:
    """Return a page with a heading of which the HTML is given."""
    head = f"<head><title>{title}</title></head>" if title else ""
    return f"<html>{head}<body><main><h1>{heading}</h1>{content}</main></body></html>"


def body(name: str) -> bytes:
    """Return the JSON of the company."""
    return json.dumps({"idno": IDNO, "fullName": name, "type": "SRL", "isActive": True}).encode()


def name_of(heading: str, content: str = FACTS, title: str = "") -> str | None:
    return read_html(page(heading, content, title), IDNO).name


NAMES_LIKE_MESSAGES = [
    *("VINO COMPANY SRL", "TECHNO COMPANY", "INEXISTENT SRL", "ERROR STUDIO SRL", "FORBIDDEN FRUIT SRL"),
    *(
        "OOPS! KIDS SRL",
        "JUST A MOMENT SRL",
        "CAPTCHA SECURITY SRL",
        "404 DESIGN SRL",
        "NU EXISTĂ LIMITE SRL",
    ),
    *("Mentenanță Lifturi SRL", "НИЧЕГО НЕ НАЙДЕНО ФИЛЬМ SRL", "SEARCH FOR TALENT SRL", "500 MODELE S.R.L."),
    *("ООО «Ошибка»", "LOADING DOCK SA", "SRL „EROARE”", "Compania Nu Există SRL", "Limita Zero SRL"),
]


@pytest.mark.parametrize("name", NAMES_LIKE_MESSAGES)
def test_words_of_messages_in_a_name_are_part_of_the_name(name: str) -> None:
    title = f"{name} – OpenMoney"
    assert transform(idno=IDNO, html=page(name, ONLY_IDNO, title), bodies=[]).facts.name == name
    assert transform(idno=IDNO, html=page(name, "", title), bodies=[body(name)]).facts.name == name


@pytest.mark.parametrize("name", ["FORBIDDEN", "EROARE", "MENTENANȚĂ", "PAGE NOT FOUND", "COMPANY", "Search"])
def test_json_proves_a_name_that_is_the_text_of_a_message(name: str) -> None:
    assert transform(idno=IDNO, html=page(name, ONLY_IDNO), bodies=[body(name)]).facts.name == name


MESSAGES = [
    *("Mentenanță", "Ведутся технические работы", "Limita zilnică a fost atinsă", "Scheduled maintenance"),
    *("Лимит просмотров на сегодня исчерпан", "Conectați-vă pentru a vedea compania", "Sign in to continue"),
    *(
        "Войдите, чтобы увидеть данные",
        "Too many requests",
        "Подтвердите, что вы не робот",
        "Revenim în curând",
    ),
    *(
        "Compania nu a fost găsită",
        "Compania ALFA SRL nu a fost găsită",
        "Se încarcă…",
        "Serviciu indisponibil",
    ),
    *("Ne pare rău, pagina solicitată nu există", "503 Service Temporarily Unavailable", "Abonament expirat"),
    *("Site-ul este în mentenanță", "Сайт находится на техническом обслуживании", "Are you a human?"),
    *("Доступ к карточке ограничен", "Conexiunea la baza de date a eșuat", "Такой компании нет в реестре"),
    *("IDNO-ul introdus nu este valid", "Bine ați venit!", "Вход в личный кабинет"),
    *("You've hit your search limit", "Nu s-au putut încărca datele", "Поиск по ИДНО"),
    *("SERVICIUL NU ESTE DISPONIBIL", "САЙТ ВРЕМЕННО НЕ РАБОТАЕТ"),
    *(
        "{{ company.name }}",
        "undefined",
        "[object Object]",
        "Lorem ipsum dolor",
        "NOT FOUND",
        "SITE ÎN MENTENANȚĂ",
    ),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_message_beside_the_idno_is_no_record(message: str) -> None:
    for content in (ONLY_IDNO, f"<p>IDNO: {IDNO}</p>", f"<p>{message}, IDNO {IDNO}</p>"):
        with pytest.raises(NotThisCompany):
            transform(idno=IDNO, html=page(message, content), bodies=[])
    with pytest.raises(NotThisCompany):
        transform(idno=IDNO, html=page(message, ONLY_IDNO), bodies=[body("ALFA FRUCT SRL")])


@pytest.mark.parametrize(
    "message", ["Limita de vizualizări a fost atinsă", "Conectați-vă", "Mentenanță", "Доступно по подписке"]
)
def test_message_above_facts_of_the_company_is_no_name(message: str) -> None:
    assert name_of(message, FACTS, f"{message} – OpenMoney") is None


@pytest.mark.parametrize("name", ["PAGE NOT FOUND", "FORBIDDEN"])
def test_text_of_an_error_above_a_complete_page_is_the_name(name: str) -> None:
    facts = FACTS.replace("</dl>", "<dt>Statut</dt><dd>Activă</dd><dt>Adresa</dt><dd>str. Pilda, 1</dd></dl>")
    assert name_of(name, facts) == name
    assert name_of(name, ONLY_IDNO) is None


@pytest.mark.parametrize("heading", ["Vă așteptăm mâine", "Контент для партнёров", "Upgrade your plan"])
def test_heading_that_looks_like_no_name_needs_a_fact_beside_the_idno(heading: str) -> None:
    assert name_of(heading, ONLY_IDNO) is None


@pytest.mark.parametrize("name", ["Grădina Bunicii", "Tannery & Sons", "VELO PARC", "GŢ ȚURCANU VALENTINA"])
def test_ordinary_name_with_facts_is_read(name: str) -> None:
    assert name_of(name.replace("&", "&amp;")) == name


@pytest.mark.parametrize(
    "heading",
    [
        *("Rezultatele căutării: „100836”", "Search results for ALFA", "Результаты поиска", "3 rezultate"),
        *(
            "Au fost găsite 2 companii pentru „nuc”",
            "Найдена 1 компания",
            "Companii din Orhei",
            "NUC",
            "Companii",
        ),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_page_with_cards_of_companies_is_not_the_page_of_one_of_them(heading: str, first: bool) -> None:
    def card(name: str, idno: str) -> str:
        return (
            f"<article class='card'><h2><a href='/companies/{idno}'>{name}</a></h2>"
            f"<dl><dt>IDNO</dt><dd>{idno}</dd><dt>Stare</dt><dd>Activă</dd></dl></article>"
        )

    cards = [card("NUCA VERDE SRL", IDNO), card("NUC DE AUR SRL", OTHER)]
    content = "".join(cards if first else cards[::-1])
    for bodies in ([], [body("NUCA VERDE SRL")]):
        with pytest.raises(NotThisCompany):
            transform(idno=IDNO, html=page(heading, content), bodies=bodies)
    with pytest.raises(NotThisCompany):
        transform(idno=IDNO, html=page(heading, cards[0]), bodies=[])


def test_company_in_the_founders_of_another_is_not_the_company_of_the_page() -> None:
    founders = (
        f"<table><tr><th>Denumire</th><th>IDNO</th></tr><tr><td>DELTA SA</td><td>{IDNO}</td></tr></table>"
    )
    content = f"<p>IDNO: {OTHER}</p><h3>Fondatori</h3>{founders}"
    assert read_html(page("SUBSIDIARA SRL", content), IDNO).idno == OTHER
    assert read_html(page("SUBSIDIARA SRL", f"<h3>Fondatori</h3>{founders}"), IDNO).idno is None


@pytest.mark.parametrize(
    "heading",
    ["Fișa companiei", "Карточка компании", "Company profile", "OpenMoney", "Date generale", "Компания"],
)
@pytest.mark.parametrize("label", ["Denumire", "Denumirea completă", "Наименование", "Name"])
def test_name_is_read_from_its_label_if_the_heading_names_no_company(heading: str, label: str) -> None:
    content = f"<dl><dt>{label}</dt><dd>ALFA FRUCT SRL</dd><dt>IDNO</dt><dd>{IDNO}</dd></dl>"
    assert name_of(heading, content) == "ALFA FRUCT SRL"
    assert name_of(heading, FACTS) is None


def test_name_under_a_general_heading_is_read_if_the_title_confirms_it() -> None:
    content = f"<h2>ALFA FRUCT SRL</h2>{FACTS}"
    assert name_of("Fișa companiei", content, "ALFA FRUCT SRL – OpenMoney") == "ALFA FRUCT SRL"
    assert name_of("Fișa companiei", content) is None
    assert name_of("Fișa companiei ALFA FRUCT SRL") == "ALFA FRUCT SRL"


def test_legal_form_may_stand_before_the_name_in_the_json_and_after_it_on_the_page() -> None:
    bodies = [body("Societatea cu Răspundere Limitată „ALFA FRUCT”")]
    assert transform(idno=IDNO, html=page("ALFA FRUCT S.R.L."), bodies=bodies).disagreements.keys() <= {
        "name"
    }


def test_heading_and_label_of_the_name_must_agree() -> None:
    facts = f"<dl><dt>Denumirea completă</dt><dd>%s</dd><dt>IDNO</dt><dd>{IDNO}</dd></dl>"
    assert name_of("ALFA FRUCT", facts % "Societatea cu Răspundere Limitată „Alfa Fruct”") == "ALFA FRUCT"
    reading = read_html(page("ALFA FRUCT", facts % "BETA LEMN SRL"), IDNO)
    assert reading.name is None
    assert [item.field for item in reading.unread] == ["name"]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("<span>ACTIV</span> <span>MED</span> <span>SRL</span>", "ACTIV MED SRL"),
        ("<mark>Activ</mark> Impex SRL", "Activ Impex SRL"),
        ("<mark>MOLD</mark><span>AGRO</span> <span>PRIM</span> SRL", "MOLDAGRO PRIM SRL"),
        ("<b>SA</b>LCIA DE AUR", "SALCIA DE AUR"),
    ],
)
def test_pieces_of_a_name_are_no_badges(heading: str, name: str) -> None:
    reading = read_html(page(heading), IDNO)
    assert (reading.name, reading.status, reading.legal_form) == (name, None, None)


@pytest.mark.parametrize(
    "badges",
    [
        '<span class="badge">verificat</span>',
        '<span class="badge bg-info">TVA</span><span class="badge bg-warning">Top 100</span>',
        '<span class="x1">Проверено</span>',
        "<small>Exportator regional</small>",
        '<sup class="chip">NOU</sup>',
        f"<small>IDNO: {IDNO}</small>",
        f" <span>({IDNO})</span>",
        f" · IDNO {IDNO}",
        f" ({IDNO})",
        " — date despre companie",
        "<br><small>fosta BETA LEMN SRL</small>",
        " (fosta BETA LEMN SRL)",
    ],
)
@pytest.mark.parametrize("name", ["PLOPENA AGRO SRL", "PLOPENA AGRO"])
def test_text_beside_the_name_in_the_heading_is_not_part_of_it(badges: str, name: str) -> None:
    assert name_of(f"{name}{badges}") == name
    assert name_of(f"{name}{badges}", title=f"{name} | OpenMoney") == name
    assert transform(idno=IDNO, html=page(f"{name}{badges}"), bodies=[body(name)]).facts.name == name


def test_title_tells_where_the_name_ends() -> None:
    heading = "Plopena <span>Agro</span> <span>Export</span>"
    assert name_of(heading, title="Plopena Agro Export – OpenMoney") == "Plopena Agro Export"
    assert name_of(heading, title="Plopena Agro – OpenMoney") == "Plopena Agro"
    assert name_of("Plopena Agro <em>Export</em>", title="Plopena Agro – OpenMoney") == "Plopena Agro"
    assert name_of("MOLD <span>ACTIV</span>", title="MOLD ACTIV – OpenMoney") == "MOLD ACTIV"


def test_name_is_uncertain_if_its_first_word_may_be_a_status() -> None:
    assert name_of("<span>Activ</span> Impex SRL") is None
    assert name_of("<span>Activ</span> Impex SRL", title="Activ Impex SRL") == "Activ Impex SRL"
    assert name_of('<span class="badge">Activă</span> PLOPENA AGRO SRL') == "PLOPENA AGRO SRL"


@pytest.mark.parametrize(
    "state",
    [
        *(
            "(în proces de lichidare)",
            "(în lichidare)",
            "<small>în insolvabilitate</small>",
            "— in liquidation",
        ),
        *(
            "(в процессе ликвидации)",
            ", în reorganizare",
            "<span>(radiată la 01.02.2024)</span>",
            "(suspendată)",
        ),
    ],
)
def test_state_beside_the_name_is_kept_and_contradicts_active(state: str) -> None:
    content = f"<dl><dt>IDNO</dt><dd>{IDNO}</dd><dt>Statut</dt><dd>Activă</dd></dl>"
    reading = read_html(page(f"FLORENA GRUP SRL {state}", content), IDNO)
    assert (reading.name, reading.status) == ("FLORENA GRUP SRL", None)
    assert reading.remarks["status"][0] in state
    assert [item.field for item in reading.unread] == ["status"]


@pytest.mark.parametrize(
    "subtitle",
    [
        f"<p>SRL · IDNO {IDNO} · înregistrată la 12 martie 2015</p>",
        f"<p>SRL · <b>IDNO {IDNO}</b> · înregistrată la <time>12.03.2015</time></p>",
        f"<p><span>SRL</span><span>IDNO {IDNO}</span><span>Înregistrată: 12.03.2015</span></p>",
        f"<p>SRL, IDNO {IDNO}, înregistrată la 12 martie 2015</p>",
        f"<p>ООО | ИДНО: {IDNO} | зарегистрирована 12 марта 2015</p>",
        f"<div>LLC • Fiscal code {IDNO} • registered on 12 March 2015</div>",
        f"<p>Societate cu răspundere limitată – IDNO {IDNO} – înregistrată la 12.03.2015</p>",
    ],
)
def test_facts_in_a_subtitle_are_read(subtitle: str) -> None:
    reading = read_html(page("STUPINA CU FLORI", subtitle), IDNO)
    assert (reading.idno, reading.name) == (IDNO, "STUPINA CU FLORI")
    assert (reading.legal_form, reading.registered_on) == ("SRL", date(2015, 3, 12))


def test_status_and_address_in_a_subtitle_are_read() -> None:
    line = f"<p>SRL · IDNO {IDNO} · Activă · MD-2001, mun. Chișinău, str. Pilda, 1</p>"
    reading = read_html(page("STUPINA CU FLORI", line), IDNO)
    assert (reading.status, reading.legal_form) == (CompanyStatus.ACTIVE, "SRL")
    assert reading.address == "MD-2001, mun. Chișinău, str. Pilda, 1"


def test_text_among_the_facts_of_a_subtitle_is_reported_as_unread() -> None:
    line = f"<p>SRL · IDNO {IDNO} · Chișinău</p>"
    assert [item.text for item in read_html(page("STUPINA CU FLORI", line), IDNO).unread] == ["Chișinău"]


def test_labelled_lines_are_no_subtitle() -> None:
    lines = f"<div><b>IDNO</b>: {IDNO}<br><b>Fondatori</b>: MODELEANU ION (100%)</div>"
    reading = read_html(page("FONDATORI SRL", lines), IDNO)
    assert [party.name for party in reading.founders] == ["MODELEANU ION"]


def test_subtitle_with_the_idno_of_another_company_is_its_page() -> None:
    line = (
        f"<p>SRL · IDNO {OTHER} · înregistrată la 12 martie 2015</p><h3>Companii afiliate</h3><p>{IDNO}</p>"
    )
    assert read_html(page("STUPINA CU FLORI", line), IDNO).idno == OTHER


def test_idno_in_a_sentence_about_the_company_is_proof() -> None:
    sentence = f"<p>Compania Stupina cu Flori (IDNO {IDNO}) activează în raionul Orhei din 2015.</p>"
    assert read_html(page("STUPINA CU FLORI SRL", sentence), IDNO).idno == IDNO
    other = f"<p>Cumpărat de la ALFA FRUCT, IDNO {IDNO}.</p>"
    assert read_html(page("STUPINA CU FLORI SRL", other), IDNO).idno is None
