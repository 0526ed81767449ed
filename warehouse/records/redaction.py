"""Suppressions: erased persons, whose names are never written to a company's record again.

Only a salted hash of each name is stored. But anyone who has the table can test guessed names, so the table is as
confidential as the records.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from warehouse.folding import fold
from warehouse.records.models import Party, PartyKind
from warehouse.schema.tables import suppressions

ERASED = "[name erased on request]"
"""The text that replaces an erased name. The record still shows that there is a founder, and the founder's share."""
FIELDS = ("founders", "administrators")


@dataclass(frozen=True)
class Suppression:
    """One person whose name is suppressed in one company's records."""

    salt: str
    name_sha256: str

    @classmethod
    def of(cls, idno: str, name: str) -> "Suppression":
        """Return a new suppression of a name."""
        salt = secrets.token_hex(16)
        return cls(salt, _hash(idno, name, salt))

    def matches(self, idno: str, name: str) -> bool:
        """Return whether `name` is the suppressed name. The order of words, case and diacritics do not matter."""
        return _hash(idno, name, self.salt) == self.name_sha256


def _hash(idno: str, name: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}\n{idno}\n{' '.join(name_words(name))}".encode()).hexdigest()


def name_words(name: str) -> list[str]:
    """Return the words of a name for comparison: folded, in alphabetical order."""
    return sorted(fold(name).replace(",", " ").split())


def load_suppressions(connection: Connection, idnos: Sequence[str]) -> dict[str, list[Suppression]]:
    """Return the suppressions of these companies, by IDNO."""
    suppressed: dict[str, list[Suppression]] = {}
    query = select(suppressions.c.idno, suppressions.c.salt, suppressions.c.name_sha256)
    for row in connection.execute(query.where(suppressions.c.idno.in_(idnos))):
        suppressed.setdefault(row.idno, []).append(Suppression(row.salt, row.name_sha256))
    return suppressed


def redact_parties(
    parties: Sequence[Party], idno: str, suppressed: Sequence[Suppression]
) -> tuple[Party, ...]:
    """Return the parties, with the suppressed names of persons replaced. Names of companies are never replaced."""
    return tuple(
        Party(name=ERASED, kind=party.kind, share=party.share, role=party.role)
        if party.kind is PartyKind.PERSON
        and any(suppression.matches(idno, party.name) for suppression in suppressed)
        else party
        for party in parties
    )


def redact_json(value: Any, idno: str, suppressed: Sequence[Suppression]) -> Any:
    """Redact parties in a change's value: a list of JSON objects. Return any other value unchanged."""
    if not isinstance(value, list):
        return value
    return [
        {**party, "name": ERASED, "source_id": None, "idno": None}
        if _is_suppressed(party, idno, suppressed)
        else party
        for party in value
    ]


def _is_suppressed(party: Any, idno: str, suppressed: Sequence[Suppression]) -> bool:
    return (
        isinstance(party, Mapping)
        and party.get("kind") == PartyKind.PERSON
        and any(suppression.matches(idno, str(party.get("name", ""))) for suppression in suppressed)
    )
