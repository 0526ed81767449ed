"""Suppressions: erased persons, whose names are never written to a company's record again.

Only a salted hash of each name is stored. But anyone who has the table can test guessed names, so the table is as
confidential as the records.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from warehouse.folding import fold, fold_before_strokes
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
        """Return whether `name` is the suppressed name. The order of words, case and diacritics do not matter.

        The stored hash may have been computed with an earlier way of folding.
        """
        return any(_hash(idno, name, self.salt, folding) == self.name_sha256 for folding in _FOLDINGS)


_FOLDINGS: tuple[Callable[[str], str], ...] = (fold, fold_before_strokes)
"""All ways of folding with which stored hashes were computed; new ones are computed with the first."""


def _hash(idno: str, name: str, salt: str, folding: Callable[[str], str] = fold) -> str:
    words = " ".join(name_words(name, folding))
    return hashlib.sha256(f"{salt}\n{idno}\n{words}".encode()).hexdigest()


def name_words(name: str, folding: Callable[[str], str] = fold) -> list[str]:
    """Return the words of a name for comparison: folded, in alphabetical order."""
    return sorted(folding(name).replace(",", " ").split())


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
