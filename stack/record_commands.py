"""The commands that read what is stored about one company: `explain` and `export-evidence`."""

import argparse
from pathlib import Path

from stack.command_line import date_argument, idno_argument
from stack.data_commands import AddCommand
from stack.home import Home

IDNO_HELP = "the company's number, 13 digits"


def add_commands(add: AddCommand) -> None:
    """Add the commands to the parser of `registru`."""
    explain = add(
        "explain",
        _explain,
        "show for each field of a company's record the value, the rule that found it, the text that it was read from,"
        " and the texts that were not understood; needs the running platform",
    )
    explain.add_argument("idno", metavar="IDNO", type=idno_argument, help=IDNO_HELP)
    explain.add_argument("--json", action="store_true", help="print JSON, with all texts in full")
    export = add(
        "export-evidence",
        _export_evidence,
        "write all captures of a company to a WARC file, with an index and checksums; needs the running platform",
    )
    export.add_argument("idno", metavar="IDNO", type=idno_argument, help=IDNO_HELP)
    export.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the WARC file, whose name must end in .warc.gz; index and checksums are written next to it (default"
        " evidence-IDNO.warc.gz in the working folder)",
    )
    export.add_argument(
        "--from",
        dest="first",
        type=date_argument,
        metavar="DATE",
        help="only captures from this day on (YYYY-MM-DD, UTC)",
    )
    export.add_argument(
        "--to",
        dest="last",
        type=date_argument,
        metavar="DATE",
        help="only captures up to and including this day",
    )
    export.add_argument(
        "--force",
        action="store_true",
        help="replace files that already exist; without it, the command refuses",
    )


def _explain(options: argparse.Namespace) -> int:
    # Imported here, as in all commands that need the database: it is slow to import.
    from stack import explanation, explanation_text

    explained = explanation.explain(Home.at(options.home), options.idno)
    print(
        explained.model_dump_json(indent=2, ensure_ascii=True)
        if options.json
        else explanation_text.text_of(explained)
    )
    return 0


def _export_evidence(options: argparse.Namespace) -> int:
    from stack import evidence_export

    exported = evidence_export.export(
        Home.at(options.home),
        options.idno,
        output=options.output,
        first=options.first,
        last=options.last,
        overwrite=options.force,
    )
    print(evidence_export.summary(exported))
    return 0
