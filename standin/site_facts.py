"""The facts of a made-up company, generated from its IDNO alone."""

import random
import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from stdnum.md import idno as stdnum_idno

from standin import words
from standin.site_cases import OTHER_COMPANY_IDNO, CaseName, case_of

_NUMBERED = re.compile(r"1(?P<year>0[012][0-9])998(?P<serial>[0-9]{5})[0-9]", re.ASCII)
LEGAL_FORMS = {"SRL": 60, "SA": 12, "ÎI": 12, "GȚ": 8, "ÎS": 4, "ÎM": 4}
LEGAL_FORM_NAMES = {
    "SRL": "Societate cu răspundere limitată",
    "SA": "Societate pe acțiuni",
    "ÎI": "Întreprindere individuală",
    "GȚ": "Gospodărie țărănească (de fermier)",
    "ÎS": "Întreprindere de stat",
    "ÎM": "Întreprindere municipală",
}
SHARE_SPLITS: dict[int, tuple[tuple[float, ...], ...]] = {
    1: ((100,),),
    2: ((50, 50), (33.33, 66.67), (99.5, 0.5)),
    3: ((33.33, 33.33, 33.34), (40, 40, 20), (12.5, 37.5, 50)),
    4: ((25, 25, 25, 25), (12.5, 37.5, 40, 10), (16.67, 33.33, 16.67, 33.33)),
}


class SitePartyKind(StrEnum):
    """The kinds of founders and administrators."""

    PERSON = "person"
    COMPANY = "company"


@dataclass(frozen=True, kw_only=True)
class SiteParty:
    """A founder or an administrator."""

    name: str
    kind: SitePartyKind
    share: float | None = None
    role: str | None = None
    idno: str | None = None


@dataclass(frozen=True, kw_only=True)
class Address:
    """A company's address, in parts and as one text."""

    city: str
    district: str
    street: str
    street_number: str
    apartment: str | None
    full_name: str


@dataclass(frozen=True, kw_only=True)
class SiteCuatm:
    """A place in the classifier of administrative units."""

    id: str
    statistic_id: str
    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class SiteActivity:
    """An activity with its name in the register."""

    id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class SiteCompany:
    """All facts of one made-up company."""

    idno: str
    name: str
    legal_form: str | None
    is_active: bool | None
    registered_on: date | None
    address: Address | None
    cuatm: SiteCuatm | None
    founders: tuple[SiteParty, ...]
    administrators: tuple[SiteParty, ...]
    licensed: tuple[SiteActivity, ...]
    unlicensed: tuple[SiteActivity, ...]


def seeded_random(topic: str, idno: str) -> random.Random:
    """Return a random generator that gives the same numbers for the same topic and IDNO (or another key)."""
    return random.Random(f"{topic}:{idno}")


def make_idno(number: int) -> str:
    """Return the IDNO of the company with this number in the list. (Its registrar, 998, does not exist in reality.)"""
    serial, year = divmod(number, 26)
    return with_check_digit(f"1{year + 1:03d}998{serial:05d}")


def with_check_digit(body: str) -> str:
    """Return the IDNO that begins with these twelve digits."""
    return body + str(stdnum_idno.calc_check_digit(body))


def number_of(idno: str) -> int | None:
    """Return the number from which `make_idno` creates this IDNO; None for any other IDNO."""
    match = _NUMBERED.fullmatch(idno)
    if match is None:
        return None
    number = int(match["serial"]) * 26 + int(match["year"]) - 1
    return number if make_idno(number) == idno else None


def facts_of(idno: str) -> SiteCompany:
    """Return the facts of the company with this IDNO, including special cases; raise ValueError for an invalid IDNO."""
    if not stdnum_idno.is_valid(idno):
        raise ValueError(
            f"idno: {idno!r} is not valid; an IDNO has 13 digits, the last of which is a check digit"
        )
    facts = _ordinary(idno)
    match case_of(idno):
        case CaseName.HOSTILE_TEXT:
            return _hostile(facts)
        case CaseName.SPARSE:
            return _sparse(facts)
        case CaseName.COMPANY_FOUNDERS:
            return _founded_by_companies(facts)
        case CaseName.FOUND:
            return _complete(facts)
    return facts


def _ordinary(idno: str) -> SiteCompany:
    rng = seeded_random("company", idno)
    forms = rng.choices(list(LEGAL_FORMS), weights=list(LEGAL_FORMS.values()))
    return SiteCompany(
        idno=idno,
        name=company_name(idno),
        legal_form=forms[0],
        is_active=rng.random() < 0.85,
        registered_on=_registered_on(idno) if rng.random() < 0.95 else None,
        address=_address(idno) if rng.random() < 0.95 else None,
        cuatm=_cuatm(idno),
        founders=_founders(idno),
        administrators=_administrators(idno),
        licensed=_activities(idno, words.LICENSED_ACTIVITIES, at_most=2),
        unlicensed=_activities(idno, words.UNLICENSED_ACTIVITIES, at_most=4),
    )


def company_name(idno: str) -> str:
    """Return a company's name; two companies rarely have the same one."""
    rng = seeded_random("name", idno)
    stem, ending = rng.choice(words.NAME_STEMS), rng.choice(words.NAME_ENDINGS)
    glue = "" if ending.startswith("-") else " "
    return f"{stem}{glue}{ending} {rng.randrange(10, 9999)}"


def _registered_on(idno: str) -> date:
    year = min(2000 + int(idno[2:4]), 2025)
    return date(year, 1, 1) + timedelta(days=seeded_random("date", idno).randrange(365))


def _address(idno: str) -> Address:
    rng = seeded_random("address", idno)
    city, district, place = seeded_random("place", idno).choice(words.PLACES)[:3]
    street, number = rng.choice(words.STREETS), str(rng.randrange(1, 200))
    apartment = str(rng.randrange(1, 90)) if rng.random() < 0.3 else None
    whole = f"MD-{rng.randrange(2000, 7999)}, {place}, {street}, {number}"
    return Address(
        city=city,
        district=district,
        street=street,
        street_number=number,
        apartment=apartment,
        full_name=whole + (f", ap. {apartment}" if apartment else ""),
    )


def _cuatm(idno: str) -> SiteCuatm:
    identifier, statistic_id, name, kind = seeded_random("place", idno).choice(words.PLACES)[3:]
    return SiteCuatm(id=identifier, statistic_id=statistic_id, name=name, type=kind)


def _person_names(idno: str, *, count: int) -> list[str]:
    rng = seeded_random("people", idno)
    surnames = rng.sample(words.SURNAMES, count)
    return [f"{surname} {rng.choice(words.GIVEN_NAMES)}" for surname in surnames]


def _founders(idno: str) -> tuple[SiteParty, ...]:
    rng = seeded_random("founders", idno)
    count = rng.choices((1, 2, 3, 4), weights=(40, 30, 20, 10))[0]
    shares = rng.choice(SHARE_SPLITS[count])
    companies = 1 if count > 1 and rng.random() < 0.3 else 0
    people = _person_names(idno, count=count - companies)
    persons = [
        SiteParty(name=name, kind=SitePartyKind.PERSON, share=float(share))
        for name, share in zip(people, shares, strict=False)
    ]
    owners = [_owning_company(rng, share) for share in shares[len(people) :]]
    return tuple(persons + owners)


def _owning_company(rng: random.Random, share: float) -> SiteParty:
    idno = make_idno(rng.randrange(10_000))
    return SiteParty(name=company_name(idno), kind=SitePartyKind.COMPANY, share=float(share), idno=idno)


def _administrators(idno: str) -> tuple[SiteParty, ...]:
    rng = seeded_random("administrators", idno)
    count = 2 if rng.random() < 0.25 else 1
    role = rng.choice(words.ROLES)
    names = _person_names(idno, count=2)[:count]
    return tuple(SiteParty(name=name, kind=SitePartyKind.PERSON, role=role) for name in names)


def _activities(idno: str, choices: tuple[tuple[int, str], ...], *, at_most: int) -> tuple[SiteActivity, ...]:
    rng = seeded_random(f"activities up to {at_most}", idno)
    picked = rng.sample(choices, rng.randint(0, at_most))
    return tuple(SiteActivity(id=number, name=name) for number, name in picked)


def _complete(facts: SiteCompany) -> SiteCompany:
    """Give the company of the case FOUND all facts: tests and the demo need one that lacks nothing."""
    first, second = _person_names(facts.idno, count=2)
    founders = (
        SiteParty(name=first, kind=SitePartyKind.PERSON, share=33.33),
        SiteParty(name=second, kind=SitePartyKind.PERSON, share=66.67),
    )
    return replace(
        facts,
        legal_form="SRL",
        is_active=True,
        registered_on=date(2020, 7, 9),
        address=_address(facts.idno),
        founders=founders,
        licensed=tuple(SiteActivity(id=number, name=name) for number, name in words.LICENSED_ACTIVITIES[:2]),
    )


def _hostile(facts: SiteCompany) -> SiteCompany:
    """Put markup and labels into the facts: pages built from strings break, and parsers can take them for labels."""
    name = (
        "<script>document.title='owned'</script> \"GHILIMELE\" & 'APOSTROF' </h1><h1>Alt titlu</h1> "
        f"Adresa: falsă IDNO: {OTHER_COMPANY_IDNO} Statut: Lichidată {{{{7*7}}}} ${{7*7}} \u200fמבחן\u200e "
        + "FOARTE LUNG " * 60
        + "SFÂRȘIT"
    )
    full_name = (
        "MD-2001, </td></tr><img src=x onerror=\"document.title='owned'\">, Adresa: falsă, "
        f"IDNO: {OTHER_COMPANY_IDNO}, Fondatori: NIMENI (100%), str. „Ghilimele” \u202bעברית\u202c nr. 1; -- "
        + "lung, " * 80
        + "ap. 3"
    )
    address = Address(
        city="Chișinău", district="C", street="<b>", street_number="1", apartment=None, full_name=full_name
    )
    founders = (
        SiteParty(name="<b>FONDATOR</b> & FIUL", kind=SitePartyKind.PERSON, share=33.33),
        SiteParty(name='O\'EXEMPLU "ION"', kind=SitePartyKind.PERSON, share=66.67),
    )
    return replace(facts, name=name, address=address, founders=founders)


def _sparse(facts: SiteCompany) -> SiteCompany:
    return SiteCompany(
        idno=facts.idno,
        name=facts.name,
        legal_form=None,
        is_active=None,
        registered_on=None,
        address=None,
        cuatm=None,
        founders=(),
        administrators=(),
        licensed=(),
        unlicensed=(),
    )


def _founded_by_companies(facts: SiteCompany) -> SiteCompany:
    owner_idno, manager_idno = make_idno(7), make_idno(8)
    founders = (
        SiteParty(name="EXEMPLESCU MARIA", kind=SitePartyKind.PERSON, share=12.5),
        SiteParty(name=company_name(owner_idno), kind=SitePartyKind.COMPANY, share=37.5, idno=owner_idno),
        SiteParty(name=words.FOREIGN_COMPANIES[0], kind=SitePartyKind.COMPANY, share=40.0),
        SiteParty(name=words.FOREIGN_COMPANIES[2], kind=SitePartyKind.COMPANY, share=10.0),
    )
    manager = SiteParty(name=company_name(manager_idno), kind=SitePartyKind.COMPANY, idno=manager_idno)
    return replace(facts, founders=founders, administrators=(*_administrators(facts.idno)[:1], manager))
