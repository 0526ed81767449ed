"""Evidence that holds the name of a person who asked to be forgotten: its content goes, its hash stays."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from stack.errors import StackError
from warehouse.redaction import words
from warehouse.text import fold

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
    "SELECT EXISTS (SELECT FROM source_data WHERE idno <> :idno"
    "   AND :sha256 IN (raw_html_sha256, document_sha256, screenshot_sha256))"
    " OR EXISTS (SELECT FROM capture_payloads p JOIN source_data s ON s.id = p.source_data_id"
    "   WHERE p.sha256 = :sha256 AND s.idno <> :idno)"
)
_CONTENT = text("SELECT content FROM raw_documents WHERE sha256 = :sha256")
_NEWEST = text("SELECT max(id) FROM source_data WHERE idno = :idno AND outcome = 'ok'")
_SEAL = text(
    "WITH sealed AS (UPDATE raw_documents SET content = NULL, removed_at = now(), removed_because = 'erasure'"
    " WHERE sha256 = ANY(:hashes) AND content IS NOT NULL RETURNING size)"
    " SELECT count(*) AS bodies, coalesce(sum(size), 0) AS bytes FROM sealed"
)


# How programs on a page write letters and ends of lines.
_WRITTEN = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrtbf]")


@dataclass(frozen=True)
class Sealed:
    """How many bodies of captures went, their size, and how many stay since they prove other companies' facts too."""

    bodies: int
    bytes: int
    shared: int


def seal_bodies(connection: Connection, idno: str, name: str) -> Sealed:
    """Remove the contents of a company's captures that hold a name, and pictures of such pages.

    They are not stored again when they come again. A body that captures of other companies hold, too, stays.
    Raises StackError if the newest good capture is one of them: the source still shows the name, and without that
    capture the company could not be read any more.
    """
    bodies = connection.execute(_BODIES, {"idno": idno}).all()
    naming = {
        body.sha256: set(body.captures)
        for body in bodies
        if not body.is_picture and _holds(connection.scalar(_CONTENT, {"sha256": body.sha256}), name)
    }
    shared = {sha256 for sha256 in naming if connection.scalar(_ELSEWHERE, {"sha256": sha256, "idno": idno})}
    naming = {sha256: captures for sha256, captures in naming.items() if sha256 not in shared}
    captures = set().union(*naming.values())
    newest = connection.scalar(_NEWEST, {"idno": idno})
    if newest in captures:
        raise StackError(
            f"the newest capture of {idno} ({newest}) holds the name: the source still shows it. Without --evidence the"
            " name goes from the record and its history; the captures can follow once a visit does not find it any more"
        )
    pictures = [body.sha256 for body in bodies if body.is_picture and captures & set(body.captures)]
    return Sealed(*_seal(connection, [*naming, *pictures]), len(shared))


def _seal(connection: Connection, hashes: Sequence[str]) -> tuple[int, int]:
    connection.execute(text("SELECT set_config('registru.allows', 'UPDATE raw_documents', true)"))
    sealed = connection.execute(_SEAL, {"hashes": list(hashes)}).one()
    connection.execute(text("SELECT set_config('registru.allows', '', true)"))
    return sealed.bodies, int(sealed.bytes)


def _holds(content: bytes | None, name: str) -> bool:
    """Tell whether all words of a name stand somewhere in a body, in whatever order, each as a word of its own."""
    if content is None:
        return False
    shown = bytes(content).decode("utf-8", errors="replace")
    try:
        shown = json.dumps(
            json.loads(shown), ensure_ascii=False
        )  # in JSON, letters may be written as numbers
    except ValueError:
        shown = _WRITTEN.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", html.unescape(shown))
    folded = fold(shown)
    return all(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", folded) for word in words(name))
