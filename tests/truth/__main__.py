"""Scores the reader on stored pages: `python -m tests.truth FILE.jsonl ...`."""

import json
import sys
from pathlib import Path

from tests.truth.scoring import Score, score


def main() -> None:
    """Print what is wrong and absent on each page, and the totals."""
    results: list[Score] = []
    for name in sys.argv[1:]:
        for line in Path(name).read_text().splitlines():
            case = json.loads(line)
            results.append(score(case))
            if not results[-1].is_right:
                _show(f"{results[-1].case} {case['kind']} [{results[-1].outcome}]")
                _show(*(f"    {problem}" for problem in results[-1].problems()))
    right, stated = sum(result.is_right for result in results), sum(result.stated for result in results)
    wrong, absent, unnamed = (
        sum(len(getattr(result, kind)) for result in results) for kind in ("wrong", "absent", "unnamed")
    )
    _show(
        f"{len(results)} pages, {right} right; {stated} facts stated, {wrong} wrong, {absent} absent, {unnamed} unnamed"
    )


def _show(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
