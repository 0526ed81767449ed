"""The measured operations: the platform's own functions. Each one works on one or a few of the stored companies."""

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
from benchmarks.scale.many_companies import capture_of, copy_idno
from pipeline.defs.selection import CompanySelection
from pipeline.records.capture_store import (
    captures_of_companies,
    stale_cohorts,
    stale_companies,
    store_capture,
)
from pipeline.records.record_updates import update_record
from pipeline.register.tracking import is_any_due, select_companies
from standin.site_facts import company_name, make_idno
from tests.api.api_harness import ApiHarness
from warehouse.records.history import load_changes, load_past_record
from warehouse.records.queries import load_record

_FIRST_NEW = 2_000_000
_MOST = 20
_PAGE = 2000


@dataclass
class FilledTables:
    """Access to the filled tables: connections, services, and random companies from them."""

    pipeline: Engine
    api: Engine
    cache: Redis
    stage: ApiHarness
    originals: Sequence[str]
    copies: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret
    new: "count[int]" = field(default_factory=lambda: count(_FIRST_NEW))

    def random_copy(self) -> str:
        """Return the IDNO of a random copy."""
        return copy_idno(self.rng.randrange(self.copies))

    def random_original(self) -> str:
        """Return the IDNO of a random original."""
        return self.rng.choice(self.originals)


@dataclass(frozen=True)
class Subject:
    """A frequent operation, and how many executions of it are measured (`times`)."""

    name: str
    do: Callable[[FilledTables], Awaitable[None]]
    times: int = 60


def subjects() -> list[Subject]:
    """Return the operations that are measured at each size."""
    return [
        _reading("a record", lambda connection, tables: load_record(connection, tables.random_copy())),
        _reading(
            "its changes", lambda connection, tables: load_changes(connection, tables.random_copy(), limit=50)
        ),
        _reading("its record as of a time", _past),
        _reading(
            "search: a name",
            lambda connection, tables: _found(connection, company_name(tables.random_copy())),
        ),
        _reading(
            "search: a word of many names", lambda connection, tables: _found(connection, _word(tables))
        ),
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


def _reading(name: str, read: Callable[[Connection, FilledTables], object]) -> Subject:
    async def do(tables: FilledTables) -> None:
        with tables.api.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            if not read(connection, tables):
                raise SystemExit(f"{name}: nothing was found")

    return Subject(name, do)


def _selecting(
    name: str, select: Callable[[Connection, FilledTables], object], *, times: int = 60
) -> Subject:
    async def do(tables: FilledTables) -> None:
        with tables.pipeline.connect() as connection:
            if not select(connection, tables):
                raise SystemExit(f"{name}: nothing was selected")

    return Subject(name, do, times)


def _past(connection: Connection, tables: FilledTables) -> object:
    return load_past_record(connection, tables.random_copy(), datetime.now(UTC) - timedelta(days=40))


def _found(connection: Connection, name: str) -> object:
    return find_by_name(connection, name, limit=_MOST)


def _word(tables: FilledTables) -> str:
    return company_name(tables.random_copy()).split()[0]


def _selected(connection: Connection, which: str) -> list[str]:
    return select_companies(connection, CompanySelection(select=which, limit=100))


async def _store_again(tables: FilledTables) -> None:
    _store(tables, tables.random_original())


async def _store_new(tables: FilledTables) -> None:
    _store(tables, make_idno(next(tables.new)))


def _store(tables: FilledTables, idno: str) -> None:
    """Perform the database and cache operations of a scrape, without the visit."""
    with tables.pipeline.begin() as connection:
        store_capture(connection, capture_of(idno), run_id="a run of the benchmark", requested_by=None)
    with tables.pipeline.begin() as connection:
        [capture] = captures_of_companies(connection, [idno])
    done = update_record(tables.pipeline.begin, tables.cache, capture, fresh_seconds=60)
    if done.result != "transformed":
        raise SystemExit(f"not transformed: {done}")


async def _reconcile(tables: FilledTables) -> None:
    if not await reconcile(tables.stage.services):
        raise SystemExit("no scrape is open")


async def _open(tables: FilledTables) -> None:
    async with tables.stage.services.users.connect() as connection:
        if not await repository.list_open(connection):
            raise SystemExit("no scrape is open")


async def _waiting(tables: FilledTables) -> None:
    async with tables.stage.services.users.connect() as connection:
        if not await launches.list_unclaimed(connection, limit=_MOST):
            raise SystemExit("nothing waits")
