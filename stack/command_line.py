"""Argument types and progress messages of the command `registru`.

An argument type returns the value, or raises ArgumentTypeError with the reason, which argparse shows.
"""

import argparse
import sys
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

from warehouse.idno import InvalidIdno, parse_idno

Progress = Callable[[str], None]
"""A function that shows the user of the command one line about the step that begins."""


def idno_argument(text: str) -> str:
    """Return a valid IDNO."""
    try:
        return parse_idno(text)
    except InvalidIdno as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def date_argument(text: str) -> date:
    """Return a day written as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as 2026-11-24") from None


def site_argument(text: str) -> str:
    """Return the URL of a site without a slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a site URL; write it as https://host, without a query"
        )
    return text.rstrip("/")


def rate_argument(text: str) -> float:
    """Return a number of visits per second; 0 means no limit."""
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a rate; write a number of visits per second, 0 or more"
        )
    return rate


def port_argument(text: str) -> int:
    """Return a port; 0 means any free port."""
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; allowed: 0 to 65535")
    return int(text)


def report_progress(message: str) -> None:
    """Print a step to standard error."""
    print(f"registru: {message} ...", file=sys.stderr, flush=True)
