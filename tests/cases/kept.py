"""Kept cases: a page as it was captured, and how it has to be read."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.transform.merge import transform

PAGES = Path(__file__).parent / "pages"
_PAGE = "page.html"
_CASE = "case.json"
_BODIES = "body-*.json"
_PARTS = ("facts", "notes", "unknown", "disagreements")

Reading = dict[str, Any]
"""What is read in a capture, as JSON: the facts, notes, unknown keys and labels, and disagreeing fields."""


class CaseExists(ValueError):
    """There is a case of this name."""


@dataclass(frozen=True)
class KeptCase:
    """A captured page, why it is kept, and what is to be read in it."""

    name: str
    idno: str
    about: str
    html: str
    bodies: tuple[bytes, ...]
    expected: Reading

    def read(self) -> Reading:
        """Return what is read in it now."""
        return read(self.idno, self.html, self.bodies)


def read(idno: str, html: str, bodies: Sequence[bytes]) -> Reading:
    """Return what the transformation reads in a capture. Raises NotThisCompany."""
    result = transform(idno=idno, html=html, bodies=list(bodies))
    return {
        "facts": result.facts.model_dump(mode="json"),
        "notes": list(result.notes),
        "unknown": list(result.unknown),
        "disagreements": sorted(result.disagreements),
    }


def differences(one: Reading, other: Reading) -> dict[str, tuple[Any, Any]]:
    """Return the values of the fields in which two readings differ, by field."""
    flat, others = ({**reading["facts"], **reading, "facts": None} for reading in (one, other))
    return {
        field: (flat.get(field), others.get(field))
        for field in flat | others
        if flat.get(field) != others.get(field)
    }


def names(folder: Path = PAGES) -> list[str]:
    """Return the names of the kept cases."""
    return sorted(path.parent.name for path in folder.glob(f"*/{_CASE}"))


def load(name: str, folder: Path = PAGES) -> KeptCase:
    """Return a kept case."""
    path = folder / name
    content = json.loads((path / _CASE).read_bytes())
    return KeptCase(
        name=name,
        idno=content["idno"],
        about=content["about"],
        html=(path / _PAGE).read_bytes().decode(),
        bodies=tuple(body.read_bytes() for body in sorted(path.glob(_BODIES), key=_position)),
        expected={part: content[part] for part in _PARTS},
    )


def _position(body: Path) -> int:
    return int(body.stem.rpartition("-")[2])


def keep(case: KeptCase, folder: Path = PAGES) -> Path:
    """Write a case, all of it or nothing, and return its folder. Raises CaseExists."""
    path = folder / case.name
    unfinished = folder / f".{case.name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        (unfinished / _PAGE).write_bytes(case.html.encode())
        for position, body in enumerate(case.bodies):
            (unfinished / f"body-{position}.json").write_bytes(body)
        (unfinished / _CASE).write_text(_written(case, case.expected), encoding="utf-8")
        # A folder is never moved over one that holds something.
        os.rename(unfinished, path)  # noqa: PTH104 - one atomic call
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if path.exists():
            raise CaseExists(f"there is a case {case.name} already, in {path}") from error
        raise
    return path


def renew(case: KeptCase, folder: Path = PAGES) -> dict[str, tuple[Any, Any]]:
    """Keep a case as it is read now, and return what it was kept as and is read as, by field."""
    reading = case.read()
    differing = differences(case.expected, reading)
    if differing:
        unfinished = folder / case.name / f"{_CASE}.part"
        unfinished.write_text(_written(case, reading), encoding="utf-8")
        os.replace(unfinished, folder / case.name / _CASE)  # noqa: PTH105 - one atomic call
    return differing


def _written(case: KeptCase, reading: Reading) -> str:
    content = {"idno": case.idno, "about": case.about, **reading}
    return f"{json.dumps(content, ensure_ascii=False, indent=1)}\n"
