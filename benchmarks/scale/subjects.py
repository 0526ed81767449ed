"""What is measured: the platform's own functions, each with a company or a few out of all that are held."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from redis import Redis
from sqlalchemy import Connection, Engine

from api.companies.repository import find_by_name
from api.scrape import launches, repository
from api.scrape.reconciler import reconcile
from benchmarks.scale.many_companies import capture_of, copied
from pipeline.defs.selection import CompanySelection
from pipeline.records.capture_store import (
    captures_of_companies,
    stale_cohorts,
    stale_companies,
    store_capture,
)
from pipeline.records.record_updates import make_current
from pipeline.register.tracking import is_any_due, select_companies
from standin.site_facts import company_name, make_idno
from tests.api.api_harness import ApiHarness
from warehouse.records.history import load_changes, load_past_record
from warehouse.records.queries import load_record

_FIRST_NEW = 2_000_000
_MOST = 20
_PAGE = 2000


@dataclass
class Full:
    """Tables with so many companies in them, and what is needed to work on them."""

    pipeline: Engine
    api: Engine
    cache: Redis
    stage: ApiHarness
    originals: Sequence[str]
    copies: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret
    new: "count[int]" = field(default_factory=lambda: count(_FIRST_NEW))

    def any_copy(self) -> str:
        """Return one of all."""
        return copied(self.dice.randrange(self.copies))

    def any_original(self) -> str:
        """Return one of those that were stored for real."""
        return self.dice.choice(self.originals)


@dataclass(frozen=True)
class Subject:
    """Something that is done often, and how often it is measured."""

    name: str
    do: Callable[[Full], Awaitable[None]]
    times: int = 60


def subjects() -> list[Subject]:
    """Return everything that is measured at each size."""
    return [
        _reading("a record", lambda connection, full: load_record(connection, full.any_copy())),
        _reading("its changes", lambda connection, full: load_changes(connection, full.any_copy(), limit=50)),
        _reading("its record as of a time", _past),
        _reading(
            "search: a name", lambda connection, full: _found(connection, company_name(full.any_copy()))
        ),
        _reading("search: a word of many names", lambda connection, full: _found(connection, _word(full))),
        Subject("a scrape stored, nothing new", _store_again),
        Subject("a scrape stored, a new company", _store_new),
        _selecting("stale: few, of all", lambda connection, _: stale_companies(connection, limit=_PAGE)),
        _selecting("stale: few, by cohort", lambda connection, _: stale_cohorts(connection), times=20),
        _selecting("is any due", lambda connection, _: is_any_due(connection)),
        _selecting("due", lambda connection, _: _selected(connection, "due")),
        _selecting("failed", lambda connection, _: _selected(connection, "failed")),
        Subject("reconciler: a step", _reconcile),
        Subject("reconciler: open scrapes", _open),
        Subject("queue: what is next", _waiting),
    ]


def _reading(name: str, read: Callable[[Connection, Full], object]) -> Subject:
    async def do(full: Full) -> None:
        with full.api.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            if not read(connection, full):
                raise SystemExit(f"{name}: nothing was found")

    return Subject(name, do)


def _selecting(name: str, select: Callable[[Connection, Full], object], *, times: int = 60) -> Subject:
    async def do(full: Full) -> None:
        with full.pipeline.connect() as connection:
            if not select(connection, full):
                raise SystemExit(f"{name}: nothing was selected")

    return Subject(name, do, times)


def _past(connection: Connection, full: Full) -> object:
    return load_past_record(connection, full.any_copy(), datetime.now(UTC) - timedelta(days=40))


def _found(connection: Connection, name: str) -> object:
    return find_by_name(connection, name, limit=_MOST)


def _word(full: Full) -> str:
    return company_name(full.any_copy()).split()[0]


def _selected(connection: Connection, which: str) -> list[str]:
    return select_companies(connection, CompanySelection(select=which, limit=100))


async def _store_again(full: Full) -> None:
    _store(full, full.any_original())


async def _store_new(full: Full) -> None:
    _store(full, make_idno(next(full.new)))


def _store(full: Full, idno: str) -> None:
    """Do the part of a scrape that is the database's, and the cache's."""
    with full.pipeline.begin() as connection:
        store_capture(connection, capture_of(idno), run_id="a run of the benchmark", requested_by=None)
    with full.pipeline.begin() as connection:
        [capture] = captures_of_companies(connection, [idno])
    done = make_current(full.pipeline.begin, full.cache, capture, fresh_seconds=60)
    if done.result != "transformed":
        raise SystemExit(f"not transformed: {done}")


async def _reconcile(full: Full) -> None:
    if not await reconcile(full.stage.services):
        raise SystemExit("no scrape is open")


async def _open(full: Full) -> None:
    async with full.stage.services.users.connect() as connection:
        if not await repository.list_open(connection):
            raise SystemExit("no scrape is open")


async def _waiting(full: Full) -> None:
    async with full.stage.services.users.connect() as connection:
        if not await launches.list_waiting(connection, limit=_MOST):
            raise SystemExit("nothing waits")
