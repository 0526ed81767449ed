"""Command-line pieces that several commands of `registru` share."""

import argparse
import sys
from collections.abc import Callable

from warehouse.idno import InvalidIdno, parse_idno

Progress = Callable[[str], None]
"""A function that shows its user one line about the step that begins."""


def idno_argument(text: str) -> str:
    """Return the IDNO in an argument (an argparse type). If it is invalid, argparse shows the reason."""
    try:
        return parse_idno(text)
    except InvalidIdno as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def report_progress(message: str) -> None:
    """Print a step to standard error."""
    print(f"registru: {message} ...", file=sys.stderr, flush=True)
