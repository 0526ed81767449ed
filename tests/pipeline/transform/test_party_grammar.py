"""The grammar of a party's text: every part of it is understood, or nothing is read."""

from decimal import Decimal

import pytest

from pipeline.transform.party_grammar import ListContext, ListedParty, read_parties_in
from pipeline.transform.party_name import NotUnderstood, is_person_name
from pipeline.transform.party_notes import is_note
from warehouse.records.models import PartyKind

IDNO = "1007998000019"
OWN_IDNO = "1020999000019"


def read(*fragments: str) -> list[ListedParty]:
    return list(read_parties_in(fragments, context=ListContext(OWN_IDNO), position=0).parties)


def only(*fragments: str) -> ListedParty:
    [listed] = read(*fragments)
    return listed


@pytest.mark.parametrize(
    "text",
    [
        "MODELEANU ION (12.5%)",
        "MODELEANU ION — 12,5 %",
        "MODELEANU ION, cota 12.5%",
        "12.5% — MODELEANU ION",
        "1. MODELEANU ION (12.5 %)",
        "MODELEANU ION 12.50%",
        "MODELEANU ION · доля: 12,5%",
        "MODELEANU ION [12.5%]",
        "MODELEANU ION: 12,5%",
        "MODELEANU ION; cota-parte = 12,5 la sută",
        "MODELEANU ION (1/8)",
        "MODELEANU ION — ⅛",
        "MODELEANU ION, 1/8 din capitalul social",
        "MODELEANU ION owns 12.5%",
    ],
)
def test_share_in_any_form_is_separated_from_the_name(text: str) -> None:
    party = only(text).party

    assert (party.name, party.share, party.remark) == ("MODELEANU ION", Decimal("12.5"), None)


@pytest.mark.parametrize("text", ["MODELEANU ION (33 1/3 %)", "MODELEANU ION — 1/3", "MODELEANU ION, 33⅓%"])
def test_fraction_is_a_share_with_two_decimals(text: str) -> None:
    assert only(text).party.share == Decimal("33.33")


@pytest.mark.parametrize(
    "text",
    [
        "25–50%",
        "25 % - 50 %",
        "< 0,01%",
        "peste 75%",
        "sub 5 %",
        "între 50 și 75 %",
        "от 25 до 50 %",
        "более 75%",
        "over 75%",
        "75% or more",
        "at least 10%",
        "до 25%",
        "mai mult de 25%",
        "between 25% and 50%",
    ],
)
def test_range_of_shares_is_a_remark_and_no_share(text: str) -> None:
    party = only(f"MODELEANU ION ({text})").party

    assert (party.name, party.share, party.remark) == ("MODELEANU ION", None, text)


@pytest.mark.parametrize(
    ("text", "share", "remark"),
    [
        ("MODELEANU ION — 27 000 lei (50%)", "50", "27 000 lei"),
        ("MODELEANU ION — aport 16 200 lei, cota 60 %", "60", "aport 16 200 lei"),
        ("MODELEANU ION – 8 100,00 lei (30,00%)", "30.00", "8 100,00 lei"),
        ("MODELEANU ION (10%; 2.700 MDL)", "10", "2.700 MDL"),
        ("MODELEANU ION, вклад 5 400 леев — 100 %", "100", "вклад 5 400 леев"),
        ("MODELEANU ION (România), 50%", "50", "România"),
        ("Modeleanu Ion, citizen of Romania — 50%", "50", "citizen of Romania"),
    ],
)
def test_contribution_and_country_are_kept_beside_the_share(text: str, share: str, remark: str) -> None:
    party = only(text).party

    assert (party.name.upper(), party.share, party.remark) == ("MODELEANU ION", Decimal(share), remark)


@pytest.mark.parametrize(
    ("text", "role", "remark"),
    [
        ("MODELEANU ION (director)", "director", None),
        ("MODELEANU ION, Director general", "Director general", None),
        ("MODELEANU ION — Administrator din 12.03.2015", "Administrator", "din 12.03.2015"),
        ("MODELEANU ION, administrator since 2015", "administrator", "since 2015"),
        ("MODELEANU ION, администратор с 04.02.2019", "администратор", "с 04.02.2019"),
        ("MODELEANU ION [Administrator provizoriu]", "Administrator provizoriu", None),
        ("Lichidator: MODELEANU ION", "Lichidator", None),
        ("Administrator din oficiu – MODELEANU ION", "Administrator din oficiu", None),
        (
            "MODELEANU ION — Administrator al procesului de insolvabilitate",
            "Administrator al procesului de insolvabilitate",
            None,
        ),
        ("MODELEANU ION, numit la 3 februarie 2021", None, "numit la 3 februarie 2021"),
    ],
)
def test_role_and_its_date_are_kept_beside_the_name(text: str, role: str | None, remark: str | None) -> None:
    listed = only(text)

    assert (listed.party.name, listed.party.role, listed.party.remark) == ("MODELEANU ION", role, remark)
    assert not listed.is_former


@pytest.mark.parametrize(
    "text",
    [
        "MODELEANU ION până la 04.05.2019",
        "MODELEANU ION (fost)",
        "MODELEANU ION — fost administrator",
        "MODELEANU ION, бывший директор",
        "MODELEANU ION (former director)",
        "MODELEANU ION (11.11.2011 – 03.05.2014)",
        "MODELEANU ION (2010–2015)",
        "MODELEANU ION, resigned on 3 May 2014",
        "fost asociat: MODELEANU ION (50%)",
    ],
)
def test_former_holder_is_recognized(text: str) -> None:
    listed = only(text)

    assert listed.is_former and listed.party.name == "MODELEANU ION"


def test_period_that_lasts_until_today_is_not_former() -> None:
    assert not only("MODELEANU ION (11.11.2011 – prezent)").is_former
    assert not only("MODELEANU ION — с 01.02.2020 по настоящее время").is_former


@pytest.mark.parametrize(
    "text", [f"ALFA [IDNO {IDNO}]", f"ALFA, IDNO: {IDNO}", f"ALFA (cod fiscal {IDNO})", f"ALFA {IDNO}"]
)
def test_idno_is_separated_from_a_companys_name(text: str) -> None:
    party = only(text).party

    assert (party.name, party.idno, party.kind) == ("ALFA", IDNO, PartyKind.COMPANY)


@pytest.mark.parametrize("idno", ["1000000000000", OWN_IDNO])
def test_invalid_idno_and_that_of_the_company_itself_are_only_remarks(idno: str) -> None:
    party = only(f"ALFA GRUP, IDNO {idno}").party

    assert (party.name, party.idno, party.remark) == ("ALFA GRUP", None, f"IDNO {idno}")


def test_address_after_the_idno_is_a_remark() -> None:
    party = only(f'"ALFA" SRL, IDNO {IDNO}\nMD-2028, STR. X 1').party

    assert (party.name, party.idno, party.remark) == ('"ALFA" SRL', IDNO, "MD-2028, STR. X 1")


def test_facts_in_a_companys_card_are_remarks_on_it() -> None:
    listed = only("ALFA SRL", "100%", "Stare", "Radiată", "Adresa", "or. Model, str. Pilda, 1")

    assert (listed.party.name, listed.party.share, listed.is_former) == ("ALFA SRL", Decimal(100), False)
    assert listed.party.remark == "Stare: Radiată; Adresa: or. Model, str. Pilda, 1"


@pytest.mark.parametrize(
    ("text", "parties"),
    [
        ("MODELEANU ION (40%), EXEMPLESCU MARIA (60%)", {"MODELEANU ION": 40, "EXEMPLESCU MARIA": 60}),
        ("MODELEANU ION; EXEMPLESCU MARIA", {"MODELEANU ION": None, "EXEMPLESCU MARIA": None}),
        ("MODELEANU ION, EXEMPLESCU MARIA", {"MODELEANU ION": None, "EXEMPLESCU MARIA": None}),
        ("50% — MODELEANU ION, 50% — PILDA ANA", {"MODELEANU ION": 50, "PILDA ANA": 50}),
        (
            "MODELEANU ION, 27000 lei (50%), PILDA ANA, 27000 lei (50%)",
            {"MODELEANU ION": 50, "PILDA ANA": 50},
        ),
        ("MODELEANU ION (50%) PILDA ANA (50%)", {"MODELEANU ION": 50, "PILDA ANA": 50}),
        ("NOWHERE HOLDINGS, LTD (40%)", {"NOWHERE HOLDINGS, LTD": 40}),
        (
            f"MODELEANU ION (cota 50%), GRUP-M (c.f. {IDNO}, cota 50%)",
            {"MODELEANU ION": 50, "GRUP-M": 50},
        ),
    ],
)
def test_text_that_joins_parties_is_divided_at_its_marks(text: str, parties: dict[str, int | None]) -> None:
    assert {listed.party.name: listed.party.share for listed in read(text)} == parties


@pytest.mark.parametrize(
    "text",
    [
        "RUSU A, RUSU B (25,00%), MODEL C (75,00%)",
        "RUSU A și RUSU B (25%, cotă comună); MODEL C (75%)",
        "RUSU A / RUSU B — 25%, MODEL C — 75%",
        "RUSU A & RUSU B (25%), MODEL C (75%)",
    ],
)
def test_joint_stake_belongs_to_neither_holder_alone(text: str) -> None:
    first, second, third = (listed.party for listed in read(text))

    assert [(party.name, party.share) for party in (first, second)] == [("RUSU A", None), ("RUSU B", None)]
    assert first.remark is not None and first.remark.startswith("joint stake: 25")
    assert (third.name, third.share) == ("MODEL C", Decimal(75))


@pytest.mark.parametrize(
    "end", ["ş.a.", "ș.a.", "et al.", "și alții", "и др.", "+ 3", "and 2 others", "și încă 4"]
)
def test_text_that_ends_with_more_names_its_parties_and_says_more(end: str) -> None:
    texts = read_parties_in([f"MODELEANU ION, PILDA ANA {end}"])

    assert [listed.party.name for listed in texts.parties] == ["MODELEANU ION", "PILDA ANA"]
    assert texts.has_more


@pytest.mark.parametrize("name", ["ALFA S.A.", "PETRA-LUX s.a.r.l.", "„Ș.A. MODEL” SRL"])
def test_legal_form_is_not_taken_for_more_parties(name: str) -> None:
    texts = read_parties_in([f"{name} (60%)"])

    assert [listed.party.name for listed in texts.parties] == [name]
    assert not texts.has_more


@pytest.mark.parametrize(
    "text",
    [
        "PRIMĂRIA ORAȘULUI TELENEȘTI",
        "MINISTERUL ECONOMIEI",
        "AGENȚIA PROPRIETĂȚII PUBLICE",
        "STATUL",
        "Republica Moldova",
        "МИНИСТЕРСТВО ФИНАНСОВ",
        "„PIATRA-SUD” SRL",
        "BALTIC-PROBE HOLDING OÜ",
        "TOTAL MEMBRI-AGRO SRL",
        '"LAPTE 100%" SRL',
    ],
)
def test_companies_and_public_bodies_are_not_persons(text: str) -> None:
    party = only(f"{text} (100%)").party

    assert (party.name, party.kind) == (text, PartyKind.COMPANY)


def test_body_that_acts_for_the_state_is_a_remark() -> None:
    party = only("Republica Moldova, prin Ministerul Economiei (100%)").party

    assert (party.name, party.remark) == ("Republica Moldova", "prin Ministerul Economiei")


@pytest.mark.parametrize(
    "text",
    [
        *("1", ",", "< <", "—", "%", "{{ founder }}", "[object Object]", "undefined", "xxx xxx"),
        *(
            "COLECTIVUL DE MUNCĂ",
            "TOTAL 71 MEMBRI",
            "MEMBRII COOPERATIVEI",
            "КОЛЛЕКТИВ ЗАВОДА",
            "12 asociați",
        ),
        *(
            "RADIAT DIN REGISTRU",
            "DATELE LIPSESC",
            "Lorem ipsum",
            "Dolor sit amet",
            "Sign in to see founders",
        ),
        *("Conectați-vă pentru a vedea", "Войдите, чтобы увидеть", "Date confidențiale", "Se încarcă…"),
        *("ALFA, BETA", "ALFA PRIM, BETA INVEST SRL (50%)", "MODELEANU", "ALFA 100% NATURAL", "LAPTE 100%"),
        *("MODELEANU ION (minor)", "Popa (Rusu) Ana — 50%", "Adresa: Fals Ion", "MODELEANU ION — PILDA ANA"),
        *("MODELEANU ION 50", "MODELEANU ION (50)", "MODELEANU ION 50% 40%", "MODELEANU ION (7/3)"),
        *("Zona liberă", "Nume Prenume", "modeleanu ion"),
    ],
)
def test_text_that_is_not_understood_as_a_whole_is_not_read(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read(text)


@pytest.mark.parametrize(
    "name",
    [
        *("MODELEANU ION", "Țurcan-Model Ana", "BOTEZAT A.", "ION B. RUSU", "D'AMICO GIOVANNI-LUCA"),
        *("van der Berg Jan", "КАРА-СТЕПЬ МАРИЯ", "Иванов Иван Иванович", "Алиев Али оглы"),
    ],
)
def test_person_has_two_to_five_capitalized_words(name: str) -> None:
    assert is_person_name(name)


def test_initials_in_place_of_a_picture_are_not_a_name() -> None:
    assert only("MI", "MODELEANU ION", "100%").party.name == "MODELEANU ION"


def test_stated_kind_decides_between_person_and_company() -> None:
    assert only("MODELEANU", "Persoană juridică").party.kind is PartyKind.COMPANY


@pytest.mark.parametrize(
    "text", ["12%", "Administrator", "Cota", "din 01.02.2003", "27 000 lei", "(România)"]
)
def test_note_describes_a_party_without_naming_it(text: str) -> None:
    assert is_note(text)


@pytest.mark.parametrize(
    "text", ["(" * 5000, "9 " * 5000, "и " * 5000, "A, " * 3000, '"' * 3001, "25% - " * 2000]
)
def test_long_text_is_refused_in_linear_time(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read(text)
