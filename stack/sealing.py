"""Removes the content of bodies that contain the name of an erased person. Their hashes stay."""

import html
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from stack.stack_error import StackError
from warehouse.folding import fold
from warehouse.records.redaction import load_suppressions, name_words

_BODIES = text(
    "WITH held AS ("
    "  SELECT s.id, b.sha256, b.is_picture FROM source_data s CROSS JOIN LATERAL (VALUES (s.raw_html_sha256, false),"
    "    (s.look_sha256, false), (s.document_sha256, false), (s.screenshot_sha256, true)) AS b (sha256, is_picture)"
    "    WHERE s.idno = :idno"
    "  UNION ALL SELECT p.source_data_id, p.sha256, false FROM capture_payloads p JOIN source_data s"
    "    ON s.id = p.source_data_id WHERE s.idno = :idno)"
    " SELECT sha256, bool_or(is_picture) AS is_picture, array_agg(DISTINCT id) AS captures FROM held"
    " WHERE sha256 IS NOT NULL GROUP BY sha256 ORDER BY sha256"
)
_OTHER_COMPANIES = text(
    "WITH held AS (SELECT s.idno, s.id, b.sha256 FROM source_data s"
    "    CROSS JOIN LATERAL (VALUES (s.raw_html_sha256), (s.look_sha256), (s.document_sha256),"
    "    (s.screenshot_sha256)) AS b (sha256)"
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


# Escape sequences of JSON and JavaScript for characters and line ends.
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\[nrtbfv]")
_LAYERS = 2
"""How many nested layers of escapes are decoded. JSON may contain JSON, and an HTML attribute may contain a script."""


@dataclass(frozen=True)
class Sealed:
    """The number and size of the removed bodies, and the number of bodies kept because other companies need them."""

    bodies: int
    bytes: int
    shared: int


def seal_bodies(connection: Connection, idno: str, name: str) -> Sealed:
    """Remove the content of a company's bodies that contain a name, and the screenshots of the same captures.

    If the site serves a removed body again, its content is not stored again. A body that captures of other companies
    also use is kept, with one exception: it is removed if the newest good captures of these companies do not use it and
    the name was erased from the records of all these companies.

    Raises:
        StackError: The newest good capture contains the name. The source still shows it, and without that capture the
            company's record could not be read again.
    """
    bodies = connection.execute(_BODIES, {"idno": idno}).all()
    naming = {
        body.sha256: set(body.captures)
        for body in bodies
        if not body.is_picture and _contains_name(connection.scalar(_CONTENT, {"sha256": body.sha256}), name)
    }
    needed = _needed_by_others(connection, idno, name, [body.sha256 for body in bodies])
    shared = naming.keys() & needed
    naming = {sha256: captures for sha256, captures in naming.items() if sha256 not in shared}
    captures = set().union(*naming.values())
    newest = connection.scalar(_NEWEST, {"idno": idno})
    if newest in captures:
        raise StackError(
            f"the newest capture of {idno} ({newest}) contains the name: the source still shows it. Without --evidence"
            " the name is removed from the record and its history; add --evidence once the source omits the name"
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


def _needed_by_others(connection: Connection, idno: str, name: str, hashes: Sequence[str]) -> set[str]:
    """Return the hashes of the bodies that another company needs.

    A company needs the bodies of its newest good capture. It also needs the bodies of its other captures, unless the
    name was erased from its record.
    """
    uses = connection.execute(_OTHER_COMPANIES, {"idno": idno, "hashes": list(hashes)}).all()
    suppressed = load_suppressions(connection, sorted({row.idno for row in uses}))
    return {
        row.sha256
        for row in uses
        if row.is_newest or not any(one.matches(row.idno, name) for one in suppressed.get(row.idno, ()))
    }


def _contains_name(content: bytes | None, name: str) -> bool:
    """Return whether a body contains every word of a name as a separate word, in any order."""
    if content is None:
        return False
    decoded = bytes(content).decode("utf-8", errors="replace")
    layers = [decoded]
    for _ in range(_LAYERS):
        decoded = _ESCAPE.sub(_unescaped, urllib.parse.unquote(html.unescape(decoded)))
        layers.append(decoded)
    folded = fold(" ".join(layers))
    return all(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", folded) for word in name_words(name))


def _unescaped(escape: "re.Match[str]") -> str:
    number = escape[1] or escape[2]
    return chr(int(number, 16)) if number else " "
