"""The reading of the JSON that the page itself fetched (the source's API, SOURCE: openmoney.md).

What is read is taken out of the object; what is left must be known as left alone on purpose, or is reported.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipeline.transform.json.audit import KeyAudit
from pipeline.transform.json.statements import FIELD as STATEMENTS
from pipeline.transform.json.statements import read_statements
from pipeline.transform.json.values import as_written, clean, is_absent, parse_json, shown, word
from pipeline.transform.places import cuatm_in, postal_code_in
from pipeline.transform.reading import Reading
from pipeline.transform.source_text import fold, parse_date, parse_share
from pipeline.transform.vocabulary.terms import legal_form_name, legal_form_of
from warehouse.records.models import Activity, AddressParts, CompanyStatus, Cuatm, Party, PartyKind

_Value = TypeVar("_Value")
_DEPTH = 4
_PATH = "companies"
_LISTS = {
    "founders": {"personFounders": PartyKind.PERSON, "companyFounders": PartyKind.COMPANY},
    "administrators": {
        "personAdministrators": PartyKind.PERSON,
        "companyAdministrators": PartyKind.COMPANY,
    },
}
"""The keys of each field's lists of parties, with the kind of party in each."""
_PARTS = {
    "city": "city",
    "district": "district",
    "street": "street",
    "street_number": "streetNumber",
    "apartment": "apartment",
}
"""The parts of an address, and the key of each."""


def find_company(bodies: Sequence[bytes], idno: str) -> Mapping[str, Any] | None:
    """Return the object that describes the company `idno` among the JSON bodies of a capture."""
    return _company_in([parse_json(body) for body in bodies], idno)


def read_payloads(bodies: Sequence[bytes], idno: str) -> Reading | None:
    """Read the company `idno` from a capture's JSON bodies; None if none of them describes it."""
    return read_company([parse_json(body) for body in bodies], idno)


def read_company(contents: Sequence[Any], idno: str) -> Reading | None:
    """Read the company `idno` from a capture's parsed bodies; None if none of them describes it."""
    company = _company_in(contents, idno)
    return _CompanyPayload(company, idno).reading() if company is not None else None


def read_filed(contents: Sequence[Any], idno: str) -> Reading:
    """Read the company's financial statements from a capture's parsed bodies; each bears the IDNO itself."""
    filed = read_statements(contents, idno)
    return Reading(
        statements=filed.statements,
        stated=frozenset({STATEMENTS} if filed.is_stated else ()),
        unknown=filed.unknown,
        notes=filed.notes,
    )


def _company_in(contents: Sequence[Any], idno: str) -> Mapping[str, Any] | None:
    candidates = (candidate for content in contents for candidate in _objects(content, _DEPTH))
    return next(
        (each for each in candidates if each.get("idno") == idno and clean(each.get("fullName"))), None
    )


def _objects(content: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    # A list holds many companies (search results, similar ones): not the page's own.
    if isinstance(content, dict):
        yield content
        if depth:
            for value in content.values():
                if isinstance(value, dict):
                    yield from _objects(value, depth - 1)


@dataclass
class _CompanyPayload:
    """An object of the source on its way to a reading."""

    content: Mapping[str, Any]
    idno: str
    stated: set[str] = field(default_factory=set)
    raw: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reading(self) -> Reading:
        """Return all that the object says."""
        left = KeyAudit(self.content, kind="companies", path=_PATH)
        left.take("idno")
        form = self._read("legal_form", left, "type", clean)
        self._as("legal_form_name", "legal_form")
        facts: dict[str, Any] = {
            "name": self._read("name", left, "fullName", clean),
            "legal_form": form,
            "legal_form_name": legal_form_name(legal_form_of(form)) if form else None,
            "status": self._read("status", left, "isActive", _status),
            "registered_on": self._read("registered_on", left, "registeredAt", _date),
            **self._address(left),
            "cuatm": self._read("cuatm", left, "cuatm", self._cuatm),
            **{field: self._parties(field, left) for field in _LISTS},
            "licensed_activities": self._activities("licensed_activities", left, "licensedActivities"),
            "unlicensed_activities": self._activities("unlicensed_activities", left, "unlicensedActivities"),
        }
        self.unknown += left.unknown()
        return Reading(
            idno=self.idno,
            **facts,
            stated=frozenset(self.stated),
            raw=self.raw,
            unknown=tuple(self.unknown),
            notes=tuple(self.notes),
        )

    def _read(
        self, name: str, left: KeyAudit, key: str, parse: Callable[[Any], _Value | None]
    ) -> _Value | None:
        """Read a key; what is there but cannot be read states nothing."""
        is_there = key in left
        value = left.take(key)
        parsed = None if is_absent(value) else parse(value)
        if parsed is not None:
            self.raw[name] = as_written(value)
        elif not is_absent(value):
            self.notes.append(f"{name}: {key} cannot be read: {shown(value)}")
            return None
        if is_there:
            self.stated.add(name)
        return parsed

    def _as(self, name: str, lead: str) -> None:
        """State of a field what is stated of the one that it comes from."""
        if lead in self.stated:
            self.stated.add(name)
        if lead in self.raw:
            self.raw[name] = self.raw[lead]

    def _address(self, left: KeyAudit) -> dict[str, Any]:
        value = self.content.get("address")
        if not isinstance(value, dict) or not value:
            address = self._read("address", left, "address", clean)
            self._as("address_parts", "address")
            code = postal_code_in(address) if address else None
            return {"address": address, "address_parts": AddressParts(postal_code=code) if code else None}
        left.take("address")
        inside = KeyAudit(value, kind="address", path=f"{_PATH}.address")
        address = self._read("address", inside, "fullName", clean)
        is_stated = address is not None or any(key in inside for key in _PARTS.values())
        found = {part: word(inside.take(key)) for part, key in _PARTS.items()}
        found["postal_code"] = postal_code_in(address) if address else None
        self.unknown += inside.unknown()
        parts = AddressParts(**found) if any(found.values()) else None
        if is_stated:
            self.stated.add("address_parts")
        if parts is not None:
            self.raw["address_parts"] = as_written(value)
        return {"address": address, "address_parts": parts}

    def _cuatm(self, value: Any) -> Cuatm | None:
        if not isinstance(value, dict):
            return cuatm_in(value) if isinstance(value, str) else None
        left = KeyAudit(value, kind="cuatm", path=f"{_PATH}.cuatm")
        place = Cuatm(
            code=word(left.take("statisticId")), name=clean(left.take("name")), kind=clean(left.take("type"))
        )
        self.unknown += left.unknown()
        return place if place.code or place.name else None

    def _parties(self, name: str, left: KeyAudit) -> tuple[Party, ...]:
        """The parties of a field's lists; none of them where one of the lists cannot be read."""
        lists = {key: left.take(key) for key in _LISTS[name] if key in left}
        unread = [key for key, value in lists.items() if not (is_absent(value) or isinstance(value, list))]
        if unread:
            self.notes.append(f"{name}: {unread[0]} cannot be read: {shown(lists[unread[0]])}")
            return ()
        parties = [
            party
            for key, value in lists.items()
            for entry in value or ()
            if isinstance(value, list) and (party := self._party(entry, key, _LISTS[name][key])) is not None
        ]
        if parties:
            self.raw[name] = as_written(lists)
        if parties or len(lists) == len(_LISTS[name]):
            self.stated.add(name)
        return tuple(parties)

    def _party(self, entry: Any, key: str, kind: PartyKind) -> Party | None:
        if not isinstance(entry, dict):
            return None
        left = KeyAudit(entry, kind="parties", path=f"{_PATH}.{key}")
        with_share = "shares" in left
        name, share = clean(left.take("fullName")), parse_share(left.take("shares"))
        role = None if with_share else _role(left.take("type"))
        idno, source_id = clean(left.take("idno")), clean(left.take("id"))
        self.unknown += left.unknown()
        if name is None:
            return None
        return Party(name=name, kind=kind, share=share, role=role, idno=idno, source_id=source_id)

    def _activities(self, name: str, left: KeyAudit, key: str) -> tuple[Activity, ...]:
        def read(entries: Any) -> tuple[Activity, ...] | None:
            return self._each_activity(entries, key) or None if isinstance(entries, list) else None

        return self._read(name, left, key, read) or ()

    def _each_activity(self, entries: Sequence[Any], key: str) -> tuple[Activity, ...]:
        activities: list[Activity] = []
        for entry in entries:
            if not isinstance(entry, dict):
                continue
            left = KeyAudit(entry, kind="activities", path=f"{_PATH}.{key}")
            name, code = clean(left.take("name")), word(left.take("id"))
            self.unknown += left.unknown()
            if name is not None:
                activities.append(Activity(name=name, code=code))
        return tuple(activities)


def _status(value: Any) -> CompanyStatus | None:
    if not isinstance(value, bool):
        return None
    return CompanyStatus.ACTIVE if value else CompanyStatus.INACTIVE


def _date(value: Any) -> Any:
    return parse_date(value) if isinstance(value, str) else None


def _role(value: Any) -> str | None:
    role = clean(value)
    return role if role and fold(role) not in ("person", "company") else None
