"""Evidence that holds the name of a person who asked to be forgotten: its content goes, its hash stays."""

import html
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from stack.stack_error import StackError
from warehouse.folding import fold
from warehouse.records.redaction import load_suppressions, words

_BODIES = text(
    "WITH held AS ("
    "  SELECT s.id, b.sha256, b.is_picture FROM source_data s CROSS JOIN LATERAL (VALUES (s.raw_html_sha256, false),"
    "    (s.document_sha256, false), (s.screenshot_sha256, true)) AS b (sha256, is_picture) WHERE s.idno = :idno"
    "  UNION ALL SELECT p.source_data_id, p.sha256, false FROM capture_payloads p JOIN source_data s"
    "    ON s.id = p.source_data_id WHERE s.idno = :idno)"
    " SELECT sha256, bool_or(is_picture) AS is_picture, array_agg(DISTINCT id) AS captures FROM held"
    " WHERE sha256 IS NOT NULL GROUP BY sha256 ORDER BY sha256"
)
_ELSEWHERE = text(
    "WITH held AS (SELECT s.idno, s.id, b.sha256 FROM source_data s"
    "    CROSS JOIN LATERAL (VALUES (s.raw_html_sha256), (s.document_sha256), (s.screenshot_sha256)) AS b (sha256)"
    "    WHERE s.idno <> :idno AND b.sha256 = ANY(:hashes)"
    "  UNION ALL SELECT s.idno, s.id, p.sha256 FROM capture_payloads p JOIN source_data s ON s.id = p.source_data_id"
    "    WHERE s.idno <> :idno AND p.sha256 = ANY(:hashes))"
    " SELECT held.sha256, held.idno, coalesce(bool_or(held.id = newest.id), false) AS is_newest FROM held"
    "  CROSS JOIN LATERAL (SELECT max(n.id) AS id FROM source_data n WHERE n.idno = held.idno AND n.outcome = 'ok')"
    "    AS newest GROUP BY held.sha256, held.idno"
)
_CONTENT = text("SELECT content FROM raw_documents WHERE sha256 = :sha256")
_NEWEST = text("SELECT max(id) FROM source_data WHERE idno = :idno AND outcome = 'ok'")
_SEAL = text(
    "WITH sealed AS (UPDATE raw_documents SET content = NULL, removed_at = now(), removed_because = 'erasure'"
    " WHERE sha256 = ANY(:hashes) AND content IS NOT NULL RETURNING size)"
    " SELECT count(*) AS bodies, coalesce(sum(size), 0) AS bytes FROM sealed"
)


# How JSON and programs on a page write letters and ends of lines.
_WRITTEN = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\[nrtbfv]")
_LAYERS = 2
"""JSON in JSON, a script in an attribute: what is written in one way may be written in another one once more."""


@dataclass(frozen=True)
class Sealed:
    """How many bodies of captures went, their size, and how many stay since they prove other companies' facts too."""

    bodies: int
    bytes: int
    shared: int


def seal_bodies(connection: Connection, idno: str, name: str) -> Sealed:
    """Remove the contents of a company's captures that hold a name, and pictures of such pages.

    They are not stored again when they come again. A body that captures of other companies hold, too, stays, unless the
    name is erased from all of those, too.
    Raises StackError if the newest good capture is one of them: the source still shows the name, and without that
    capture the company could not be read any more.
    """
    bodies = connection.execute(_BODIES, {"idno": idno}).all()
    naming = {
        body.sha256: set(body.captures)
        for body in bodies
        if not body.is_picture and _holds(connection.scalar(_CONTENT, {"sha256": body.sha256}), name)
    }
    needed = _needed_elsewhere(connection, idno, name, [body.sha256 for body in bodies])
    shared = naming.keys() & needed
    naming = {sha256: captures for sha256, captures in naming.items() if sha256 not in shared}
    captures = set().union(*naming.values())
    newest = connection.scalar(_NEWEST, {"idno": idno})
    if newest in captures:
        raise StackError(
            f"the newest capture of {idno} ({newest}) holds the name: the source still shows it. Without --evidence the"
            " name goes from the record and its history; the captures can follow once a visit does not find it any more"
        )
    pictures = [
        body.sha256
        for body in bodies
        if body.is_picture and captures & set(body.captures) and body.sha256 not in needed
    ]
    return Sealed(*_seal(connection, [*naming, *pictures]), len(shared))


def _seal(connection: Connection, hashes: Sequence[str]) -> tuple[int, int]:
    connection.execute(text("SELECT set_config('registru.allows', 'UPDATE raw_documents', true)"))
    sealed = connection.execute(_SEAL, {"hashes": list(hashes)}).one()
    connection.execute(text("SELECT set_config('registru.allows', '', true)"))
    return sealed.bodies, int(sealed.bytes)


def _needed_elsewhere(connection: Connection, idno: str, name: str, hashes: Sequence[str]) -> set[str]:
    """Return which of these bodies prove facts of another company.

    Not those that are left only in older captures of companies of which this name was erased, too.
    """
    found = connection.execute(_ELSEWHERE, {"idno": idno, "hashes": list(hashes)}).all()
    suppressed = load_suppressions(connection, sorted({row.idno for row in found}))
    return {
        row.sha256
        for row in found
        if row.is_newest or not any(each.fits(row.idno, name) for each in suppressed.get(row.idno, ()))
    }


def _holds(content: bytes | None, name: str) -> bool:
    """Tell whether all words of a name stand somewhere in a body, in whatever order, each as a word of its own."""
    if content is None:
        return False
    shown = bytes(content).decode("utf-8", errors="replace")
    layers = [shown]
    for _ in range(_LAYERS):
        shown = _WRITTEN.sub(_letter, urllib.parse.unquote(html.unescape(shown)))
        layers.append(shown)
    folded = fold(" ".join(layers))
    return all(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", folded) for word in words(name))


def _letter(found: "re.Match[str]") -> str:
    number = found[1] or found[2]
    return chr(int(number, 16)) if number else " "
