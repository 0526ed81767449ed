"""Command line of the stand-in site: `python -m standin --port 0 --api-port 0`."""

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType

from standin.options import Lang, Layout
from standin.server import running_site


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = _parser().parse_args()
    stop = threading.Event()

    def handle_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle_signal)
    with running_site(**vars(arguments)) as site:
        print(f"site {site.url} api {site.api_url}", flush=True)
        stop.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the pages; 0 selects a free one")
    parser.add_argument("--api-port", type=int, default=0, help="port of the API; 0 selects a free one")
    parser.add_argument(
        "--layout",
        type=Layout,
        choices=list(Layout),
        help="layout of all pages; default: selected by each company's IDNO",
    )
    parser.add_argument(
        "--lang",
        type=Lang,
        choices=list(Lang),
        help="language of all pages; default: selected by each company's IDNO",
    )
    parser.add_argument(
        "--embedded",
        action="store_true",
        help="embed the data in the document instead of serving it by the API",
    )
    parser.add_argument(
        "--flaky-failures", type=int, default=1, help="number of failing visits of the case FLAKY (default 1)"
    )
    parser.add_argument(
        "--retry-after-seconds",
        type=int,
        default=1,
        help="Retry-After header of the cases with status 503 and 429 (default 1)",
    )
    parser.add_argument(
        "--faults", action="store_true", help="make one in ten of the companies number 50,000 to 59,999 fail"
    )
    parser.add_argument("--latency-ms", type=int, default=0, help="delay of each API response (default 0)")
    parser.add_argument(
        "--robots",
        type=_text,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="serve this file as robots.txt",
    )
    return parser


def _text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
