"""The reading of the JSON that the page itself fetched (the source's API, SOURCE: openmoney.md)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.transform.reading import Reading
from pipeline.transform.text import fold, parse_date, parse_share, present
from warehouse.records import CompanyStatus, Party, PartyKind

_DEPTH = 4


def find_company(bodies: Sequence[bytes], idno: str) -> Mapping[str, Any] | None:
    """Return the object that describes the company `idno` among the JSON bodies of a capture."""
    for body in bodies:
        try:
            content = json.loads(body)
        except ValueError:
            continue
        for candidate in _objects(content, _DEPTH):
            if candidate.get("idno") == idno and present(_text(candidate.get("fullName"))):
                return candidate
    return None


def _objects(content: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    # A list holds many companies (search results, similar ones): not the page's own.
    if isinstance(content, dict):
        yield content
        if depth:
            for value in content.values():
                if isinstance(value, dict):
                    yield from _objects(value, depth - 1)


def read_payloads(bodies: Sequence[bytes], idno: str) -> Reading | None:
    """Read the company `idno` from a capture's JSON bodies; None if none of them describes it."""
    company = find_company(bodies, idno)
    if company is None:
        return None
    address = company.get("address")
    return Reading(
        idno=idno,
        name=_clean(company.get("fullName")),
        legal_form=_clean(company.get("type")),
        status=_status(company.get("isActive")),
        registered_on=parse_date(_text(company.get("registeredAt")) or ""),
        address=_clean(address.get("fullName")) if isinstance(address, dict) else _clean(address),
        founders=(
            *_parties(company.get("personFounders"), PartyKind.PERSON),
            *_parties(company.get("companyFounders"), PartyKind.COMPANY),
        ),
        administrators=(
            *_parties(company.get("personAdministrators"), PartyKind.PERSON),
            *_parties(company.get("companyAdministrators"), PartyKind.COMPANY),
        ),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _clean(value: Any) -> str | None:
    """The text as the source wrote it, without the white space around it; None where it is absent."""
    text = _text(value)
    return text.replace("\x00", "").strip() if text is not None and present(text) else None


def _status(value: Any) -> CompanyStatus | None:
    if not isinstance(value, bool):
        return None
    return CompanyStatus.ACTIVE if value else CompanyStatus.INACTIVE


def _parties(entries: Any, kind: PartyKind) -> Iterator[Party]:
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or (name := _clean(entry.get("fullName"))) is None:
            continue
        yield Party(
            name=name,
            kind=kind,
            share=parse_share(entry.get("shares")),
            role=_role(entry.get("type")) if "shares" not in entry else None,
            idno=_clean(entry.get("idno")),
            source_id=_clean(entry.get("id")),
        )


def _role(value: Any) -> str | None:
    role = _clean(value)
    return role if role and fold(role) not in ("person", "company") else None
