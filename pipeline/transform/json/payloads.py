"""The JSON reading: a company's facts from the payloads that its page fetched (answers of the API of openmoney.md).

A key that is not read must be listed as deliberately ignored in audit.py. Otherwise it is reported as unknown, so that
new fields of the API are noticed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from pipeline.transform.activity_text import can_be_activity
from pipeline.transform.address_text import is_address_part, read_address
from pipeline.transform.date_text import latest_day, read_date
from pipeline.transform.grammar import Parsed, unread
from pipeline.transform.json.audit import KeyAudit
from pipeline.transform.json.payload_parties import PARTY_LISTS, read_party_lists
from pipeline.transform.json.statements import read_statements
from pipeline.transform.json.values import as_written, code_of, is_absent, parse_json, text_of
from pipeline.transform.legal_form_text import read_legal_form
from pipeline.transform.places import postal_code_in, read_cuatm
from pipeline.transform.reading import STATEMENTS, Reading, Unread, abbreviate
from pipeline.transform.vocabulary.terms import legal_form_name, legal_form_of
from warehouse.records.models import Activity, AddressParts, CompanyStatus, Cuatm, Party

_Value = TypeVar("_Value")
_MAX_DEPTH = 4
_TEXT_LENGTH = 300
_NO_TEXT = "it is not a text"
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


def read_payloads(
    bodies: Sequence[bytes], idno: str, *, fetched_at: datetime | None = None
) -> Reading | None:
    """Read the company `idno` from a capture's JSON bodies; return None if none of them describes it."""
    return read_company([parse_json(body) for body in bodies], idno, fetched_at=fetched_at)


def read_company(contents: Sequence[Any], idno: str, *, fetched_at: datetime | None = None) -> Reading | None:
    """Read the company `idno` from a capture's parsed bodies; return None if none of them describes it.

    No date lies later than the day after `fetched_at` (None: now).
    """
    company = _company_in(contents, idno)
    return _CompanyPayload(company, idno, latest_day(fetched_at)).reading() if company is not None else None


def read_filed_statements(contents: Sequence[Any], idno: str) -> Reading:
    """Read only the financial statements of the company `idno` from a capture's parsed bodies."""
    filed = read_statements(contents, idno)
    return Reading(
        statements=filed.statements,
        rules={STATEMENTS: "keys fin-data.CODE_*"},
        stated=frozenset({STATEMENTS} if filed.is_stated else ()),
        unread=filed.unread,
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
    latest: date
    stated: set[str] = field(default_factory=set)
    raw: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)

    def reading(self) -> Reading:
        """Read the object completely."""
        audit = KeyAudit(self.content, kind="companies", path=_PATH)
        audit.take("idno")
        form = self._read("legal_form", audit, "type", _legal_form)
        self._mark_derived("legal_form_name", "legal_form")
        facts: dict[str, Any] = {
            "name": self._read("name", audit, "fullName", _text),
            "legal_form": form,
            "legal_form_name": legal_form_name(legal_form_of(form)) if form else None,
            "status": self._read("status", audit, "isActive", _status),
            "registered_on": self._read("registered_on", audit, "registeredAt", self._date),
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
            rules=self.rules,
            remarks=self.remarks,
            unread=tuple(self.unread),
            incomplete=frozenset(self.incomplete),
            unknown=tuple(self.unknown),
            notes=tuple(self.notes),
        )

    def _read(
        self, name: str, audit: KeyAudit, key: str, grammar: Callable[[Any], Parsed[_Value]]
    ) -> _Value | None:
        """Read the field `name` from the key `key` with a grammar.

        If the value is present but not understood, it is reported as unread and the field does not count as stated.
        """
        self.rules[name] = f"key {audit.path_of(key)}"
        is_present = key in audit
        value = audit.take(key)
        if is_absent(value):
            parsed: Parsed[_Value] = Parsed()
        else:
            parsed = grammar(value)
            if parsed.remarks:
                self.remarks[name] = parsed.remarks
            if parsed.reason is not None:
                self._mark_unread(name, key, value, parsed.reason)
                return None
            self.raw[name] = as_written(value)
        if is_present:
            self.stated.add(name)
        return parsed.value

    def _mark_unread(self, name: str, key: str, value: Any, reason: str) -> None:
        self.unread.append(Unread(name, as_written(value)[:_TEXT_LENGTH], f"{key}: {reason}"))

    def _mark_derived(self, name: str, source_field: str) -> None:
        """Mark the derived field `name` as stated if its `source_field` is stated, and copy the raw text."""
        if source_field in self.stated:
            self.stated.add(name)
        if source_field in self.raw:
            self.raw[name] = self.raw[source_field]

    def _address(self, audit: KeyAudit) -> dict[str, Any]:
        value = self.content.get("address")
        if not isinstance(value, dict) or not value:
            address = self._read("address", audit, "address", _address)
            self._mark_derived("address_parts", "address")
            code = postal_code_in(address) if address else None
            return {"address": address, "address_parts": AddressParts(postal_code=code) if code else None}
        audit.take("address")
        address_audit = KeyAudit(value, kind="address", path=f"{_PATH}.address")
        address = self._read("address", address_audit, "fullName", _address)
        is_stated = address is not None or any(key in address_audit for key in _PARTS.values())
        values = {part: self._address_part(address_audit, key) for part, key in _PARTS.items()}
        values["postal_code"] = postal_code_in(address) if address else None
        self.unknown += address_audit.unknown()
        parts = AddressParts(**values) if any(values.values()) else None
        if is_stated:
            self.stated.add("address_parts")
        if parts is not None:
            self.raw["address_parts"] = as_written(value)
        return {"address": address, "address_parts": parts}

    def _address_part(self, audit: KeyAudit, key: str) -> str | None:
        value = audit.take(key)
        part = code_of(value)
        if is_absent(value) or (part is not None and is_address_part(part)):
            return part
        self._mark_unread("address_parts", key, value, "it is not a part of an address")
        return None

    def _date(self, value: Any) -> Parsed[date]:
        return read_date(value, latest=self.latest) if isinstance(value, str) else unread(_NO_TEXT)

    def _cuatm(self, value: Any) -> Parsed[Cuatm]:
        if not isinstance(value, dict):
            return read_cuatm(value) if isinstance(value, str) else unread(_NO_TEXT)
        audit = KeyAudit(value, kind="cuatm", path=f"{_PATH}.cuatm")
        place = Cuatm(
            code=code_of(audit.take("statisticId")),
            name=text_of(audit.take("name")),
            kind=text_of(audit.take("type")),
        )
        self.unknown += audit.unknown()
        if place.name and (reason := read_cuatm(place.name).reason):
            return unread(reason)
        return Parsed(place) if place.code or place.name else unread("it has neither a code nor a name")

    def _parties(self, name: str, audit: KeyAudit) -> tuple[Party, ...]:
        """Return the parties from all lists of a field, without the entries that are not understood."""
        self.rules[name] = f"keys {', '.join(map(audit.path_of, PARTY_LISTS[name]))}"
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
        def read(entries: Any) -> Parsed[tuple[Activity, ...]]:
            activities = self._activity_entries(name, entries, key) if isinstance(entries, list) else ()
            return Parsed(activities) if activities else unread("it has no activity")

        return self._read(name, audit, key, read) or ()

    def _activity_entries(self, field: str, entries: Sequence[Any], key: str) -> tuple[Activity, ...]:
        """Return the activities of a list. An entry is identified by its place: its id is unique in no other way."""
        activities: list[Activity] = []
        for entry in entries:
            if not isinstance(entry, dict):
                self.unread.append(Unread(field, abbreviate(entry), "not an activity"))
                continue
            audit = KeyAudit(entry, kind="activities", path=f"{_PATH}.{key}")
            name, code = text_of(audit.take("name")), code_of(audit.take("id"))
            self.unknown += audit.unknown()
            if name is None:
                continue
            if can_be_activity(name):
                activities.append(Activity(name=name, code=code))
            else:
                self.unread.append(Unread(field, name, "not an activity"))
        return tuple(activities)


def _text(value: Any) -> Parsed[str]:
    text = text_of(value)
    return Parsed(text) if text else unread(_NO_TEXT)


def _legal_form(value: Any) -> Parsed[str]:
    """Read a legal form; a known one stays as the source writes it."""
    if not isinstance(value, str):
        return unread(_NO_TEXT)
    parsed = read_legal_form(value, is_code=True)
    return replace(parsed, value=value.strip()) if parsed.value else parsed


def _address(value: Any) -> Parsed[str]:
    return read_address(value) if isinstance(value, str) else unread(_NO_TEXT)


def _status(value: Any) -> Parsed[CompanyStatus]:
    if not isinstance(value, bool):
        return unread("it is neither true nor false")
    return Parsed(CompanyStatus.ACTIVE if value else CompanyStatus.INACTIVE)
