"""Persons who asked to be forgotten: known by a salted hash of their name, and never again written into a record.

The names are not stored. Whoever has the table can still try names one by one, so it is no more public than records.
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
"""Stands where a person's name stood: that there is a founder, and with what share, stays true."""
FIELDS = ("founders", "administrators")


@dataclass(frozen=True)
class Suppression:
    """One person in one company's records."""

    salt: str
    name_sha256: str

    @classmethod
    def of(cls, idno: str, name: str) -> "Suppression":
        """Return a new one for a name."""
        salt = secrets.token_hex(16)
        return cls(salt, _hash(idno, name, salt))

    def fits(self, idno: str, name: str) -> bool:
        """Tell whether this is the person's name, in whatever order, case or spelling of its letters."""
        return _hash(idno, name, self.salt) == self.name_sha256


def _hash(idno: str, name: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}\n{idno}\n{' '.join(words(name))}".encode()).hexdigest()


def words(name: str) -> list[str]:
    """Return the words of a name for comparison: folded, in alphabetical order."""
    return sorted(fold(name).replace(",", " ").split())


def load_suppressions(connection: Connection, idnos: Sequence[str]) -> dict[str, list[Suppression]]:
    """Return who is suppressed in which of these companies' records."""
    found: dict[str, list[Suppression]] = {}
    query = select(suppressions.c.idno, suppressions.c.salt, suppressions.c.name_sha256)
    for row in connection.execute(query.where(suppressions.c.idno.in_(idnos))):
        found.setdefault(row.idno, []).append(Suppression(row.salt, row.name_sha256))
    return found


def redacted(parties: Sequence[Party], idno: str, suppressed: Sequence[Suppression]) -> tuple[Party, ...]:
    """Return parties without the names of these persons; a company is never one of them."""
    return tuple(
        Party(name=ERASED, kind=party.kind, share=party.share, role=party.role)
        if party.kind is PartyKind.PERSON and any(each.fits(idno, party.name) for each in suppressed)
        else party
        for party in parties
    )


def redacted_json(value: Any, idno: str, suppressed: Sequence[Suppression]) -> Any:
    """Return the same of parties as the history has them: a list of objects, or nothing."""
    if not isinstance(value, list):
        return value
    return [
        {**each, "name": ERASED, "source_id": None, "idno": None} if _is_one(each, idno, suppressed) else each
        for each in value
    ]


def _is_one(party: Any, idno: str, suppressed: Sequence[Suppression]) -> bool:
    return (
        isinstance(party, Mapping)
        and party.get("kind") == PartyKind.PERSON
        and any(each.fits(idno, str(party.get("name", ""))) for each in suppressed)
    )
