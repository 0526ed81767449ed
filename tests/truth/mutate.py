"""Mutates stored pages by machine and counts wrong facts: `make truth`.

    python -m tests.truth.mutate [--documents N] [--seed N] [--show N]

A page is mutated only if the reader reads it right before.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipeline.transform.merge import transform
from tests.truth.scoring import score
from tests.truth.value_mutations import MUTATIONS, Case, Raw

PAGES = Path(__file__).parent / "pages"
_CHUNK = 500


@dataclass
class Tally:
    """What came out for the documents of one mutation."""

    documents: int = 0
    stated: int = 0
    absent: int = 0
    wrong: list[str] = field(default_factory=list)


def cases_in(path: Path) -> list[Case]:
    """Return the pages in a file, with the facts that they state."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def right_cases() -> tuple[tuple[Case, Raw], ...]:
    """Return the pages of companies that are read right, each with the texts that its facts were read from."""
    # A mutation changes the elements of a page, so what the browser recorded about them no longer fits.
    stored = (case for path in sorted(PAGES.glob("*.jsonl")) for case in cases_in(path))
    cases = [{key: case[key] for key in case if key not in ("rendered", "look")} for case in stored]
    # Where a field must have no value, a mutation may remove the reason.
    cases = [case for case in cases if case["expect"]["outcome"] == "ok" and "absent" not in case["expect"]]
    cases = [case for case in cases if score(case).is_right]
    return tuple((case, _raw(case)) for case in cases)


def _raw(case: Case) -> Raw:
    bodies = [json.dumps(body).encode() for body in case.get("json", {}).values()]
    done = transform(idno=case["idno"], html=case["html"], bodies=bodies)
    return {
        name: source.raw
        for name, source in done.sources.items()
        if source.raw and "label" in (source.rule or "")
    }


def mutate_and_score(seeds: Sequence[int]) -> dict[str, Tally]:
    """Mutate and score one document for each seed; return the tallies by mutation."""
    cases = right_cases()
    tallies: dict[str, Tally] = {}
    for seed in seeds:
        name, mutated = _mutated(cases, random.Random(seed))
        result = score(mutated)
        tally = tallies.setdefault(name, Tally())
        tally.documents += 1
        tally.stated += result.stated
        tally.absent += len(result.absent)
        tally.wrong += [f"{mutated['id']} (seed {seed}): {text}" for text in result.wrong]
    return tallies


def _mutated(cases: Sequence[tuple[Case, Raw]], rng: random.Random) -> tuple[str, Case]:
    """Return a mutated page and the name of its mutation; try others if a mutation does not fit a page."""
    while True:
        mutation = rng.choice(MUTATIONS)
        (case, raw), (other, _) = rng.choice(cases), rng.choice(cases)
        if (mutated := mutation(case, raw, other, rng)) is not None:
            return mutation.__name__, mutated


def _tallies(documents: int, seed: int) -> Iterator[dict[str, Tally]]:
    chunks = [
        range(start, min(start + _CHUNK, seed + documents)) for start in range(seed, seed + documents, _CHUNK)
    ]
    with ProcessPoolExecutor() as pool:
        yield from pool.map(mutate_and_score, chunks)


def main() -> int:
    """Print the table; return 1 if a fact is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="number of the first document")
    parser.add_argument(
        "--show", type=int, default=20, help="how many wrong facts to print for each mutation"
    )
    arguments = parser.parse_args()
    total: dict[str, Tally] = {}
    for some in _tallies(arguments.documents, arguments.seed):
        for name, tally in some.items():
            whole = total.setdefault(name, Tally())
            whole.documents += tally.documents
            whole.stated += tally.stated
            whole.absent += tally.absent
            whole.wrong += tally.wrong
    lines = [f"{'mutation':30} {'documents':>10} {'facts':>10} {'absent':>8} {'wrong':>6}"]
    for name, tally in sorted(total.items()):
        lines.append(
            f"{name:30} {tally.documents:10} {tally.stated:10} {tally.absent:8} {len(tally.wrong):6}"
        )
        lines += [f"    {text}" for text in tally.wrong[: arguments.show]]
    wrong = sum(len(tally.wrong) for tally in total.values())
    lines.append(f"{sum(tally.documents for tally in total.values())} documents, {wrong} wrong facts")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
