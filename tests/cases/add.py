"""Keeps a captured page as a case: `python -m tests.cases.add IDNO NAME --about "why"`."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from pipeline.records.capture_store import (
    CaptureContents,
    captures_of_companies,
    find_good_capture,
    load_contents,
)
from pipeline.transform.source_text import fold
from stack import postgres
from stack.home import DEFAULT_HOME, Home, RunningPlatform
from stack.secrets import load_or_create
from stack.stack_error import StackError
from tests.cases.common_words import LETTERS
from tests.cases.disguise import DisguiseFailed, disguise, words_of_names
from tests.cases.kept import PAGES, CaseExists, KeptCase, keep, read
from warehouse.idno import InvalidIdno, parse_idno
from warehouse.schema import database_roles

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class NotKept(ValueError):
    """There is no such capture, or it cannot be kept; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep a case and say what was kept; return the exit status. Errors go to standard error, in a sentence."""
    options = _parser().parse_args(arguments)
    try:
        contents = _captured(options.home, options.idno, options.capture)
        case = disguised_case(options.idno, options.name, contents, about=options.about)
        path = keep(case, options.folder)
    except (StackError, NotKept, DisguiseFailed, CaseExists) as error:
        sys.stderr.write(f"cases: {error}\n")
        return 1
    sys.stdout.write(f"{told(case, path)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cases.add", description=__doc__)
    parser.add_argument("idno", type=_idno, metavar="IDNO", help="the company whose newest good page is kept")
    parser.add_argument(
        "name", type=_name, metavar="NAME", help="of the case: small letters, digits, hyphens"
    )
    parser.add_argument("--about", required=True, type=_sentence, help="why this page is kept")
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help=f"(default {DEFAULT_HOME})")
    parser.add_argument("--capture", type=int, metavar="ID", help="this capture, not the newest")
    parser.add_argument("--folder", type=Path, default=PAGES, help="where cases are kept")
    return parser


def _idno(text: str) -> str:
    try:
        return parse_idno(text)
    except InvalidIdno as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a case: a-z, 0-9 and single hyphens")
    return text


def _sentence(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why the page is kept")
    return text.strip()


def _captured(path: Path, idno: str, capture: int | None) -> CaptureContents:
    home = Home.at(path)
    port = RunningPlatform.of(home).ports["postgres"]
    url = postgres.url(
        port,
        load_or_create(home.secrets),
        role=database_roles.API,
        database=database_roles.WAREHOUSE_DATABASE,
    )
    try:
        with create_engine(url, poolclass=NullPool).connect() as connection:
            return captured(connection, idno, capture)
    except OperationalError as error:
        raise StackError(f"the warehouse does not answer: {error.orig}") from error


def captured(connection: Connection, idno: str, capture: int | None = None) -> CaptureContents:
    """Return what the newest good capture of a company (or the one with this id) holds. Raises NotKept."""
    if capture is None:
        found = next(iter(captures_of_companies(connection, [idno])), None)
        missing = f"no good capture of {idno} is held; `registru scrape {idno}` makes one"
    else:
        found = find_good_capture(connection, capture)
        missing = f"{capture} is no good capture of {idno}"
    if found is None or found.idno != idno:
        raise NotKept(missing)
    contents = load_contents(connection, [found])[found.source_data_id]
    if contents.damaged:
        raise NotKept(f"capture {found.source_data_id} of {idno} is damaged: {contents.damaged}")
    return contents


def disguised_case(idno: str, name: str, contents: CaptureContents, *, about: str) -> KeptCase:
    """Return a capture as a case, with nothing of the original in it. Raises NotKept, DisguiseFailed."""
    try:
        html = contents.html.decode()
    except UnicodeDecodeError as error:
        raise NotKept(f"the page of {idno} is not in UTF-8: {error}") from error
    made = disguise(idno, html, contents.bodies)
    said = set(map(fold, LETTERS.findall(f"{name} {about}")))
    if told_of := sorted(said & words_of_names(idno, html, contents.bodies)):
        raise NotKept(f"NAME and --about must not tell whose page it is: {', '.join(told_of)}")
    reading = read(made.idno, made.html, made.bodies)
    return KeptCase(name, made.idno, about, made.html, made.bodies, reading)


def told(case: KeptCase, path: Path) -> str:
    """Return what was kept, for a person, who has to look through it before it is shared."""
    facts = case.expected["facts"]
    parties = [party["name"] for party in (*facts["founders"], *facts["administrators"])]
    return "\n".join(
        [
            f"kept as {path}: page.html ({len(case.html.encode())} bytes), {len(case.bodies)} JSON bodies",
            f"IDNO {case.idno}, name {facts['name']!r}, address {facts['address']!r}",
            f"parties: {', '.join(parties) or 'none'}; statements: {len(facts['statements'])}",
            f"disagreements: {', '.join(case.expected['disagreements']) or 'none'};"
            f" unknown: {', '.join(case.expected['unknown']) or 'none'}; notes: {len(case.expected['notes'])}",
            "amounts, dates and what stands beside unknown labels are as they were:"
            " look through the files before you commit them",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
