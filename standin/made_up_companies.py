"""Made-up companies in the API's format, and for each the record that the pipeline should extract."""

import hashlib
from typing import Any

from standin.filed_statements import KEY_ROWS, fin_data
from standin.site_facts import (
    LEGAL_FORM_NAMES,
    Address,
    SiteActivity,
    SiteCompany,
    SiteCuatm,
    SiteParty,
    SitePartyKind,
    facts_of,
    make_idno,
    seeded_random,
)

Json = dict[str, Any]

# The values that the source sends instead of a missing value.
ABSENT = (None, "", "NULL", "undefined")
LISTED_COMPANIES = 10_000
POSTAL_CODE_LENGTH = len("MD-2001")


def company(idno: str) -> Json:
    """Return the body of `/api/companies/{idno}`, with the irregularities of the source's JSON."""
    facts = facts_of(idno)
    return {
        "_id": _row_id("company", idno),
        "revisionDate": "2026-09-01",
        "registeredAt": facts.registered_on.isoformat() if facts.registered_on else _absent("date", idno),
        "fullName": facts.name,
        "id": idno,
        "type": facts.legal_form or _absent("type", idno),
        "isActive": facts.is_active,
        "idno": idno,
        "personFounders": _founders(facts, SitePartyKind.PERSON),
        "personAdministrators": _administrators(facts, SitePartyKind.PERSON),
        "companyAdministrators": _administrators(facts, SitePartyKind.COMPANY),
        "companyFounders": _founders(facts, SitePartyKind.COMPANY),
        "licensedActivities": [_activity(activity) for activity in facts.licensed],
        "unlicensedActivities": [_activity(activity) for activity in facts.unlicensed],
        "address": _address(facts),
        "cuatm": _cuatm(facts),
    }


_MARKUP = "<"


def expected_record(idno: str) -> Json:
    """Return the record that the pipeline should produce for a company. An absent value is None; shares are floats."""
    facts = facts_of(idno)
    status = {True: "active", False: "inactive", None: None}[facts.is_active]
    return {
        "idno": idno,
        "name": facts.name,
        "legal_form": facts.legal_form,
        "legal_form_name": LEGAL_FORM_NAMES[facts.legal_form] if facts.legal_form else None,
        "status": status,
        "registered_on": facts.registered_on.isoformat() if facts.registered_on else None,
        "address": _expected_address(facts.address) if facts.address else None,
        "address_parts": _address_parts(facts.address) if facts.address else None,
        "cuatm": _expected_cuatm(facts.cuatm) if facts.cuatm else None,
        "founders": [
            {"name": party.name, "kind": party.kind.value, "share": party.share, "idno": party.idno}
            for party in facts.founders
        ],
        "administrators": [
            {"name": party.name, "kind": party.kind.value, "role": party.role, "idno": party.idno}
            for party in facts.administrators
        ],
        "licensed_activities": [_expected_activity(activity) for activity in facts.licensed],
        "unlicensed_activities": [_expected_activity(activity) for activity in facts.unlicensed],
        "statements": [_key_figures(statement) for statement in fin_data(idno)],
    }


def _expected_address(address: Address) -> str | None:
    return None if _MARKUP in address.full_name else address.full_name  # markup is no part of an address


def _address_parts(address: Address) -> Json:
    return {
        "postal_code": (_expected_address(address) or "")[:POSTAL_CODE_LENGTH] or None,
        "city": address.city,
        "district": address.district,
        "street": None if _MARKUP in (address.street or "") else address.street,
        "street_number": address.street_number,
        "apartment": address.apartment,
    }


def _expected_cuatm(cuatm: SiteCuatm) -> Json:
    return {"code": cuatm.statistic_id, "name": cuatm.name, "kind": cuatm.type}


def _expected_activity(activity: SiteActivity) -> Json:
    return {"name": activity.name, "code": str(activity.id)}


def _key_figures(statement: Json) -> Json:
    """Return the key figures of a year; amounts are whole lei."""
    figures = {name: statement[f"CODE_{code}"] for name, code in KEY_ROWS.items()}
    return {"year": statement["year"], "document_type": statement["doctype"], **figures}


def companies_page(*, page: int, size: int) -> Json:
    """Return the body of `/api/companies?page=&size=`; pages are numbered from 0."""
    first = page * size
    numbers = range(first, min(first + size, LISTED_COMPANIES))
    return {
        "data": [_list_row(make_idno(number)) for number in numbers],
        "totalItemCount": LISTED_COMPANIES,
        "childCuatms": [],
    }


def _list_row(idno: str) -> Json:
    full = company(idno)
    kept = ("fullName", "id", "type", "idno", "isActive", "registeredAt")
    amount = seeded_random("amount", idno).randrange(10**8, 10**14) / 1000
    return {**{key: full[key] for key in kept}, "beneficialOwners": None, "amount": amount}


def _founders(facts: SiteCompany, kind: SitePartyKind) -> list[Json]:
    parties = [party for party in facts.founders if party.kind is kind]
    return [{**_party(party), "shares": _share(party.share)} for party in parties]


def _administrators(facts: SiteCompany, kind: SitePartyKind) -> list[Json]:
    parties = [party for party in facts.administrators if party.kind is kind]
    return [{**_party(party), "type": party.role or _absent("role", party.name)} for party in parties]


def _party(party: SiteParty) -> Json:
    row: Json = {
        "_id": _row_id("party", party.name),
        "sameNameCount": "NULL",
        "fullName": party.name,
        "id": party.idno or _hash(party.name),
    }
    if party.kind is SitePartyKind.COMPANY:
        row["idno"] = party.idno or _absent("idno", party.name)
    return row


def _share(share: float | None) -> float | int | None:
    return int(share) if share is not None and share.is_integer() else share


def _activity(activity: SiteActivity) -> Json:
    return {"_id": _row_id("activity", activity.name), "name": activity.name, "id": activity.id}


def _address(facts: SiteCompany) -> Json | None:
    address = facts.address
    if address is None:
        return None
    return {
        "_id": _row_id("address", facts.idno),
        "city": address.city,
        "streetNumber": address.street_number,
        "street": address.street,
        "district": address.district,
        "fullName": address.full_name,
        "id": _hash(address.full_name),
        "hash": f"{address.district}{address.city}{address.street}{address.street_number}",
        "apartment": address.apartment or _absent("apartment", facts.idno),
    }


def _cuatm(facts: SiteCompany) -> Json | None:
    cuatm = facts.cuatm
    if cuatm is None:
        return None
    return {
        "_id": int(cuatm.id),
        "name": cuatm.name,
        "statisticId": cuatm.statistic_id,
        "id": cuatm.id,
        "type": cuatm.type,
    }


def _absent(topic: str, key: str) -> str | None:
    return seeded_random(f"absent {topic}", key).choice(ABSENT)


def _row_id(topic: str, key: str) -> int:
    return seeded_random(f"row {topic}", key).randrange(1, 9_999_999)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
