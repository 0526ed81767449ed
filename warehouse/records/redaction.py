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
ERASURE_NOTE = "a person's name was erased on request"
"""What the notes of a record say about a field from which a name was erased."""
FIELDS = ("founders", "administrators")
_MAX_NAME_WORDS = 8
_PUNCTUATION = " .,;:!?()[]«»„”“\"'<>–—-/|·•"


@dataclass(frozen=True)
class Suppression:
    """One person whose name is suppressed in one company's records."""

    salt: str
    name_sha256: str

    @classmethod
    def of(cls, idno: str, name: str) -> "Suppression":
        """Return a new suppression of a name."""
        salt = secrets.token_hex(16)
        return cls(salt, _hash(idno, name_words(name), salt))

    def matches(self, idno: str, name: str) -> bool:
        """Return whether `name` is the suppressed name. The order of words, case and diacritics do not matter.

        The stored hash may have been computed with an earlier way of folding.
        """
        return any(self._is_hash_of(idno, name_words(name, folding)) for folding in _FOLDINGS)

    def is_named_in(self, idno: str, text: str) -> bool:
        """Return whether adjacent words of `text` are the suppressed name."""
        return any(self._is_in(idno, folding(text).replace(",", " ").split()) for folding in _FOLDINGS)

    def _is_in(self, idno: str, words: list[str]) -> bool:
        bare = [stripped for word in words if (stripped := word.strip(_PUNCTUATION))]
        return any(
            self._is_hash_of(idno, sorted(some[start : start + length]))
            for some in ((words, bare) if bare != words else (words,))
            for start in range(len(some))
            for length in range(1, min(_MAX_NAME_WORDS, len(some) - start) + 1)
        )

    def _is_hash_of(self, idno: str, words: Sequence[str]) -> bool:
        return _hash(idno, words, self.salt) == self.name_sha256


_FOLDINGS: tuple[Callable[[str], str], ...] = (fold, fold_before_strokes)
"""All ways of folding with which stored hashes were computed; new ones are computed with the first."""


def _hash(idno: str, words: Sequence[str], salt: str) -> str:
    return hashlib.sha256(f"{salt}\n{idno}\n{' '.join(words)}".encode()).hexdigest()


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


@dataclass(frozen=True)
class TextRedaction:
    """Decides which texts that a record quotes from captures must be removed.

    All quotations of `fields`, from which persons are erased, are removed: they name these persons, perhaps in another
    spelling. A quotation of any other field is removed if it names a suppressed person.
    """

    idno: str
    suppressed: Sequence[Suppression]
    fields: frozenset[str]

    def names(self, text: str) -> bool:
        """Return whether a text names a suppressed person."""
        return any(suppression.is_named_in(self.idno, text) for suppression in self.suppressed)

    def removes(self, field: str, text: str) -> bool:
        """Return whether a quotation of a field must be removed."""
        return field in self.fields or self.names(text)

    def removes_note(self, note: str) -> bool:
        """Return whether a note of a record must be removed. Notes about erasures stay."""
        return not note.partition(": ")[2].startswith(ERASURE_NOTE) and self.removes(
            note.partition(": ")[0], note
        )

    def redact_remarks(self, remarks: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Return the remarks that stay, by field."""
        kept = {
            field: tuple(text for text in texts if not self.removes(field, text))
            for field, texts in remarks.items()
        }
        return {field: texts for field, texts in kept.items() if texts}


def redact_parties(
    parties: Sequence[Party], idno: str, suppressed: Sequence[Suppression]
) -> tuple[Party, ...]:
    """Return the parties without the suppressed names of persons. Names of companies are never replaced.

    A party's remark is removed if it names a suppressed person.
    """
    redaction = TextRedaction(idno, suppressed, frozenset())
    return tuple(_redact_party(party, redaction) for party in parties)


def _redact_party(party: Party, redaction: TextRedaction) -> Party:
    if _is_suppressed(party.kind, party.name, redaction):
        return Party(name=ERASED, kind=party.kind, share=party.share, role=party.role)
    if party.remark is not None and redaction.names(party.remark):
        return party.model_copy(update={"remark": None})
    return party


def redact_json(value: Any, redaction: TextRedaction) -> Any:
    """Redact the value of a change: a list of parties as JSON, or remarks by field. Return other values unchanged."""
    if isinstance(value, Mapping):
        kept = redaction.redact_remarks(value)
        return {field: list(texts) for field, texts in kept.items()} or None
    if isinstance(value, list):
        return [
            _redact_json_party(party, redaction) if isinstance(party, Mapping) else party for party in value
        ]
    return value


def _redact_json_party(party: Mapping[str, Any], redaction: TextRedaction) -> dict[str, Any]:
    if _is_suppressed(party.get("kind"), str(party.get("name", "")), redaction):
        erased = {"name": ERASED, "source_id": None, "idno": None}
        return {**party, **erased, **({"remark": None} if "remark" in party else {})}
    if party.get("remark") is not None and redaction.names(str(party["remark"])):
        return {**party, "remark": None}
    return dict(party)


def _is_suppressed(kind: object, name: str, redaction: TextRedaction) -> bool:
    return kind == PartyKind.PERSON and any(
        suppression.matches(redaction.idno, name) for suppression in redaction.suppressed
    )
