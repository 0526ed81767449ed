"""Store a captured page as a test case: `python -m tests.cases.add IDNO NAME --about "why"`."""

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
from stack.command_line import idno_argument
from stack.home import DEFAULT_HOME, Home, RunningPlatform
from stack.secrets import load_or_create
from stack.stack_error import StackError
from tests.cases.case_store import PAGES, CaseExists, StoredCase, read_capture, store_case
from tests.cases.common_words import LETTERS
from tests.cases.disguise import DisguiseFailed, disguise, words_of_names
from warehouse.schema import database_roles

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class CaseRefused(ValueError):
    """The capture does not exist or cannot be stored as a case; the message tells why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Store a case and print a summary; return the exit status. Errors are printed to standard error."""
    options = _parser().parse_args(arguments)
    try:
        contents = _captured(options.home, options.idno, options.capture)
        case = disguised_case(options.idno, options.name, contents, about=options.about)
        path = store_case(case, options.folder)
    except (StackError, CaseRefused, DisguiseFailed, CaseExists) as error:
        sys.stderr.write(f"cases: {error}\n")
        return 1
    sys.stdout.write(f"{summary(case, path)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cases.add", description=__doc__)
    parser.add_argument(
        "idno", type=idno_argument, metavar="IDNO", help="the company whose newest good capture is stored"
    )
    parser.add_argument(
        "name", type=_name, metavar="NAME", help="name of the case: lowercase letters, digits, hyphens"
    )
    parser.add_argument("--about", required=True, type=_sentence, help="why this page is stored")
    parser.add_argument(
        "--home", type=Path, default=DEFAULT_HOME, help=f"home of the platform (default {DEFAULT_HOME})"
    )
    parser.add_argument("--capture", type=int, metavar="ID", help="store this capture instead of the newest")
    parser.add_argument("--folder", type=Path, default=PAGES, help="folder of the cases")
    return parser


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a valid case name; use a-z, 0-9 and single hyphens"
        )
    return text


def _sentence(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("--about must not be empty; tell why the page is stored")
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
            return load_capture(connection, idno, capture)
    except OperationalError as error:
        raise StackError(f"the warehouse does not answer: {error.orig}") from error


def load_capture(connection: Connection, idno: str, capture: int | None = None) -> CaptureContents:
    """Load the newest good capture of a company, or the one with this id; raise CaseRefused."""
    if capture is None:
        stored = next(iter(captures_of_companies(connection, [idno])), None)
        missing = f"{idno} has no good capture; `registru scrape {idno}` creates one"
    else:
        stored = find_good_capture(connection, capture)
        missing = f"{capture} is not a good capture of {idno}"
    if stored is None or stored.idno != idno:
        raise CaseRefused(missing)
    contents = load_contents(connection, [stored])[stored.source_data_id]
    if contents.damaged:
        raise CaseRefused(f"capture {stored.source_data_id} of {idno} is damaged: {contents.damaged}")
    return contents


def disguised_case(idno: str, name: str, contents: CaptureContents, *, about: str) -> StoredCase:
    """Return a capture as a case without any personal data of the original; raise CaseRefused or DisguiseFailed."""
    try:
        html = contents.html.decode()
    except UnicodeDecodeError as error:
        raise CaseRefused(f"the page of {idno} is not in UTF-8: {error}") from error
    made = disguise(idno, html, contents.bodies)
    words = set(map(fold, LETTERS.findall(f"{name} {about}")))
    if identifying := sorted(words & words_of_names(idno, html, contents.bodies)):
        raise CaseRefused(f"NAME and --about must not contain names from the page: {', '.join(identifying)}")
    reading = read_capture(made.idno, made.html, made.bodies)
    return StoredCase(name, made.idno, about, made.html, made.bodies, reading)


def summary(case: StoredCase, path: Path) -> str:
    """Return a summary of a stored case for the user, who has to review it before sharing it."""
    facts = case.expected["facts"]
    parties = [party["name"] for party in (*facts["founders"], *facts["administrators"])]
    return "\n".join(
        [
            f"stored as {path}: page.html ({len(case.html.encode())} bytes), {len(case.bodies)} JSON bodies",
            f"IDNO {case.idno}, name {facts['name']!r}, address {facts['address']!r}",
            f"parties: {', '.join(parties) or 'none'}; statements: {len(facts['statements'])}",
            f"disagreements: {', '.join(case.expected['disagreements']) or 'none'};"
            f" unknown: {', '.join(case.expected['unknown']) or 'none'}; notes: {len(case.expected['notes'])}",
            "amounts, dates and the values of unknown labels were not changed:"
            " review the files before you commit them",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
