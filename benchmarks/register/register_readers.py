"""One reader of a register file, run alone in a process: prints the number of rows, the seconds and the peak memory.

python -m benchmarks.register.register_readers registru FILE
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

SHEET = "Company"


def registru(path: Path) -> int:
    """Read the rows as a sweep does, with openpyxl and the texts on disk."""
    from pipeline.register.xlsx import open_workbook

    with open_workbook(path) as book:
        return sum(1 for _ in book.rows(SHEET))


def openpyxl(path: Path) -> int:
    """Read the rows with openpyxl's streaming reader."""
    from openpyxl import load_workbook

    sheet = load_workbook(path, read_only=True, data_only=True)[SHEET]
    return sum(1 for _ in sheet.iter_rows(values_only=True))


def calamine(path: Path) -> int:
    """Read the rows with python-calamine, which loads the whole sheet."""
    from python_calamine import load_workbook

    return sum(1 for _ in load_workbook(path).get_sheet_by_name(SHEET).iter_rows())


WAYS: dict[str, Callable[[Path], int]] = {"registru": registru, "openpyxl": openpyxl, "calamine": calamine}


def main() -> None:
    """Read the file with the named reader."""
    began = time.process_time()
    rows = WAYS[sys.argv[1]](Path(sys.argv[2]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": time.process_time() - began, "megabytes": peak}))


if __name__ == "__main__":
    main()
