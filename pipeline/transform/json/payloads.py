"""The JSON reading: a company's facts from the payloads that its page fetched (answers of the API of openmoney.md).

A key that is not read must be listed as deliberately ignored in audit.py. Otherwise it is reported as unknown, so that
new fields of the API are noticed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipeline.transform.json.audit import KeyAudit
from pipeline.transform.json.parties import PARTY_LISTS, read_party_lists
from pipeline.transform.json.statements import read_statements
from pipeline.transform.json.values import as_written, code_of, is_absent, parse_json, text_of
from pipeline.transform.places import cuatm_in, postal_code_in
from pipeline.transform.reading import STATEMENTS, Reading, Unread, abbreviate
from pipeline.transform.source_text import parse_date
from pipeline.transform.vocabulary.terms import legal_form_name, legal_form_of
from warehouse.records.models import Activity, AddressParts, CompanyStatus, Cuatm, Party

_Value = TypeVar("_Value")
_MAX_DEPTH = 4
_PATH = "companies"
_PARTS = {
    "city": "city",
    "district": "district",
    "street": "street",
    "street_number": "streetNumber",
    "apartment": "apartment",
}
"""For each part of an address, its key in the payload."""


def find_company(bodies: Sequence[bytes], idno: str) -> Mapping[str, Any] | None:
    """Return the object that describes the company `idno` in a capture's JSON bodies; None if there is none."""
    return _company_in([parse_json(body) for body in bodies], idno)


def read_payloads(bodies: Sequence[bytes], idno: str) -> Reading | None:
    """Read the company `idno` from a capture's JSON bodies; return None if none of them describes it."""
    return read_company([parse_json(body) for body in bodies], idno)


def read_company(contents: Sequence[Any], idno: str) -> Reading | None:
    """Read the company `idno` from a capture's parsed bodies; return None if none of them describes it."""
    company = _company_in(contents, idno)
    return _CompanyPayload(company, idno).reading() if company is not None else None


def read_filed_statements(contents: Sequence[Any], idno: str) -> Reading:
    """Read only the financial statements of the company `idno` from a capture's parsed bodies."""
    filed = read_statements(contents, idno)
    return Reading(
        statements=filed.statements,
        stated=frozenset({STATEMENTS} if filed.is_stated else ()),
        unknown=filed.unknown,
        notes=filed.notes,
    )


def _company_in(contents: Sequence[Any], idno: str) -> Mapping[str, Any] | None:
    objects = (found for content in contents for found in _objects(content, _MAX_DEPTH))
    return next(
        (found for found in objects if found.get("idno") == idno and text_of(found.get("fullName"))), None
    )


def _objects(content: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    # Lists are skipped: they contain other companies (search results, similar companies).
    if isinstance(content, dict):
        yield content
        if depth:
            for value in content.values():
                if isinstance(value, dict):
                    yield from _objects(value, depth - 1)


@dataclass
class _CompanyPayload:
    """The JSON object that describes a company, and the results of reading it so far."""

    content: Mapping[str, Any]
    idno: str
    stated: set[str] = field(default_factory=set)
    raw: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)

    def reading(self) -> Reading:
        """Read the object completely."""
        audit = KeyAudit(self.content, kind="companies", path=_PATH)
        audit.take("idno")
        form = self._read("legal_form", audit, "type", text_of)
        self._mark_derived("legal_form_name", "legal_form")
        facts: dict[str, Any] = {
            "name": self._read("name", audit, "fullName", text_of),
            "legal_form": form,
            "legal_form_name": legal_form_name(legal_form_of(form)) if form else None,
            "status": self._read("status", audit, "isActive", _status),
            "registered_on": self._read("registered_on", audit, "registeredAt", _date),
            **self._address(audit),
            "cuatm": self._read("cuatm", audit, "cuatm", self._cuatm),
            **{field: self._parties(field, audit) for field in PARTY_LISTS},
            "licensed_activities": self._activities("licensed_activities", audit, "licensedActivities"),
            "unlicensed_activities": self._activities("unlicensed_activities", audit, "unlicensedActivities"),
        }
        self.unknown += audit.unknown()
        return Reading(
            idno=self.idno,
            **facts,
            stated=frozenset(self.stated),
            raw=self.raw,
            remarks=self.remarks,
            unread=tuple(self.unread),
            incomplete=frozenset(self.incomplete),
            unknown=tuple(self.unknown),
            notes=tuple(self.notes),
        )

    def _read(
        self, name: str, audit: KeyAudit, key: str, parse: Callable[[Any], _Value | None]
    ) -> _Value | None:
        """Read the field `name` from the key `key` with the function `parse`.

        If the value is present but not readable, a note is added and the field does not count as stated.
        """
        is_present = key in audit
        value = audit.take(key)
        parsed = None if is_absent(value) else parse(value)
        if parsed is not None:
            self.raw[name] = as_written(value)
        elif not is_absent(value):
            self.notes.append(f"{name}: {key} cannot be read: {abbreviate(value)}")
            return None
        if is_present:
            self.stated.add(name)
        return parsed

    def _mark_derived(self, name: str, source_field: str) -> None:
        """Mark the derived field `name` as stated if its `source_field` is stated, and copy the raw text."""
        if source_field in self.stated:
            self.stated.add(name)
        if source_field in self.raw:
            self.raw[name] = self.raw[source_field]

    def _address(self, audit: KeyAudit) -> dict[str, Any]:
        value = self.content.get("address")
        if not isinstance(value, dict) or not value:
            address = self._read("address", audit, "address", text_of)
            self._mark_derived("address_parts", "address")
            code = postal_code_in(address) if address else None
            return {"address": address, "address_parts": AddressParts(postal_code=code) if code else None}
        audit.take("address")
        address_audit = KeyAudit(value, kind="address", path=f"{_PATH}.address")
        address = self._read("address", address_audit, "fullName", text_of)
        is_stated = address is not None or any(key in address_audit for key in _PARTS.values())
        values = {part: code_of(address_audit.take(key)) for part, key in _PARTS.items()}
        values["postal_code"] = postal_code_in(address) if address else None
        self.unknown += address_audit.unknown()
        parts = AddressParts(**values) if any(values.values()) else None
        if is_stated:
            self.stated.add("address_parts")
        if parts is not None:
            self.raw["address_parts"] = as_written(value)
        return {"address": address, "address_parts": parts}

    def _cuatm(self, value: Any) -> Cuatm | None:
        if not isinstance(value, dict):
            return cuatm_in(value) if isinstance(value, str) else None
        audit = KeyAudit(value, kind="cuatm", path=f"{_PATH}.cuatm")
        place = Cuatm(
            code=code_of(audit.take("statisticId")),
            name=text_of(audit.take("name")),
            kind=text_of(audit.take("type")),
        )
        self.unknown += audit.unknown()
        return place if place.code or place.name else None

    def _parties(self, name: str, audit: KeyAudit) -> tuple[Party, ...]:
        """Return the parties from all lists of a field, without the entries that are not understood."""
        read = read_party_lists(name, audit, path=_PATH, own_idno=self.idno)
        if read.parties:
            self.raw[name] = as_written(read.lists)
        # A joint-stock company publishes no founders: an empty list does not mean that there are none.
        is_unpublished = name == "founders" and not read.parties and self._is_joint_stock()
        if read.is_stated and not is_unpublished:
            self.stated.add(name)
        if read.unread and not read.is_stated:
            self.incomplete.add(name)
        if read.remarks:
            self.remarks[name] = tuple(read.remarks)
        self.unread += read.unread
        self.unknown += read.unknown
        self.notes += read.notes
        return read.parties

    def _is_joint_stock(self) -> bool:
        form = text_of(self.content.get("type"))
        return form is not None and legal_form_of(form) == "SA"

    def _activities(self, name: str, audit: KeyAudit, key: str) -> tuple[Activity, ...]:
        def read(entries: Any) -> tuple[Activity, ...] | None:
            return self._activity_entries(entries, key) or None if isinstance(entries, list) else None

        return self._read(name, audit, key, read) or ()

    def _activity_entries(self, entries: Sequence[Any], key: str) -> tuple[Activity, ...]:
        activities: list[Activity] = []
        for entry in entries:
            if not isinstance(entry, dict):
                continue
            audit = KeyAudit(entry, kind="activities", path=f"{_PATH}.{key}")
            name, code = text_of(audit.take("name")), code_of(audit.take("id"))
            self.unknown += audit.unknown()
            if name is not None:
                activities.append(Activity(name=name, code=code))
        return tuple(activities)


def _status(value: Any) -> CompanyStatus | None:
    if not isinstance(value, bool):
        return None
    return CompanyStatus.ACTIVE if value else CompanyStatus.INACTIVE


def _date(value: Any) -> Any:
    return parse_date(value) if isinstance(value, str) else None
