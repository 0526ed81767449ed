"""The store of test cases: captured pages with the result that reading them must have."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.transform.merge import transform
from warehouse.records.models import LIMITS, CompanyFacts

PAGES = Path(__file__).parent / "pages"
_PAGE = "page.html"
_CASE = "case.json"
_BODIES = "body-*.json"
_PARTS = ("facts", "notes", "unknown", "disagreements")
_RARE_PARTS = ("remarks", "unread", "incomplete")
"""Parts that a case contains only if they are not empty."""

ReadingJson = dict[str, Any]
"""The result of reading a capture, as JSON: facts, notes, unknown keys and labels, disagreeing fields; also remarks,
unread texts and incomplete lists, if there are any."""


class CaseExists(ValueError):
    """A case with this name exists already."""


@dataclass(frozen=True)
class StoredCase:
    """A captured page, the reason for storing it, and the expected result of reading it."""

    name: str
    idno: str
    about: str
    html: str
    bodies: tuple[bytes, ...]
    expected: ReadingJson

    def read(self) -> ReadingJson:
        """Read the capture with the current transformation."""
        return read_capture(self.idno, self.html, self.bodies)


def read_capture(idno: str, html: str, bodies: Sequence[bytes]) -> ReadingJson:
    """Read a capture with the current transformation; raise NotThisCompany."""
    result = transform(idno=idno, html=html, bodies=list(bodies))
    rare = {
        "remarks": {field: list(texts) for field, texts in result.remarks.items()},
        "unread": [asdict(unread) for unread in result.unread],
        "incomplete": sorted(result.incomplete),
    }
    return {
        "facts": _facts(result.facts),
        "notes": list(result.notes),
        "unknown": list(result.unknown),
        "disagreements": sorted(result.disagreements),
        **{part: found for part, found in rare.items() if found},
    }


def _facts(facts: CompanyFacts) -> dict[str, Any]:
    """Return the facts of one capture as JSON. A party has the key `remark` only if it has a remark."""
    written = facts.model_dump(mode="json", exclude=set(LIMITS))
    for field in ("founders", "administrators"):
        written[field] = [
            {key: value for key, value in party.items() if key != "remark" or value is not None}
            for party in written[field]
        ]
    return written


def differences(one: ReadingJson, other: ReadingJson) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two readings differ, each with both values."""
    flat, others = ({**reading["facts"], **reading, "facts": None} for reading in (one, other))
    return {
        field: (flat.get(field), others.get(field))
        for field in flat | others
        if flat.get(field) != others.get(field)
    }


def case_names(folder: Path = PAGES) -> list[str]:
    """Return the names of the stored cases."""
    return sorted(path.parent.name for path in folder.glob(f"*/{_CASE}"))


def load_case(name: str, folder: Path = PAGES) -> StoredCase:
    """Load a stored case."""
    path = folder / name
    content = json.loads((path / _CASE).read_bytes())
    return StoredCase(
        name=name,
        idno=content["idno"],
        about=content["about"],
        html=(path / _PAGE).read_bytes().decode(),
        bodies=tuple(body.read_bytes() for body in sorted(path.glob(_BODIES), key=_position)),
        expected={part: content[part] for part in (*_PARTS, *_RARE_PARTS) if part in content},
    )


def _position(body: Path) -> int:
    return int(body.stem.rpartition("-")[2])


def store_case(case: StoredCase, folder: Path = PAGES) -> Path:
    """Store a case atomically and return its folder; raise CaseExists."""
    path = folder / case.name
    unfinished = folder / f".{case.name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        (unfinished / _PAGE).write_bytes(case.html.encode())
        for position, body in enumerate(case.bodies):
            (unfinished / f"body-{position}.json").write_bytes(body)
        (unfinished / _CASE).write_text(_written(case, case.expected), encoding="utf-8")
        # os.rename never replaces a folder that is not empty.
        os.rename(unfinished, path)  # noqa: PTH104 - one atomic call
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if path.exists():
            raise CaseExists(f"the case {case.name} exists already: {path}") from error
        raise
    return path


def renew_case(case: StoredCase, folder: Path = PAGES) -> dict[str, tuple[Any, Any]]:
    """Store the current result of reading a case; return each changed field with the old and new value."""
    reading = case.read()
    differing = differences(case.expected, reading)
    if differing:
        unfinished = folder / case.name / f"{_CASE}.part"
        unfinished.write_text(_written(case, reading), encoding="utf-8")
        os.replace(unfinished, folder / case.name / _CASE)  # noqa: PTH105 - one atomic call
    return differing


def _written(case: StoredCase, reading: ReadingJson) -> str:
    content = {"idno": case.idno, "about": case.about, **reading}
    return f"{json.dumps(content, ensure_ascii=False, indent=1)}\n"
