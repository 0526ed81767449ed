"""The API's services with real stores and a fake Dagster, for situations that are hard to time with a real one."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import Connection, delete, event, insert, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth.callers import Caller
from api.auth.roles import SCOPES, Role
from api.batches import service as batches
from api.batches.schemas import BatchAnswer, BatchRequest
from api.dagster.dagster_client import DagsterClient, DagsterUnavailable, LaunchUnclear, ListedRun, RunStatus
from api.main import create_app
from api.runtime.client_address import RequestClient
from api.scrape import service
from api.scrape.launching import launch_unclaimed
from api.scrape.reconciler import reconcile
from api.scrape.schemas import ScrapeStatus
from api.services import Services, open_services
from api.settings import ApiSettings
from api.users_tables import launches, scrapes, users
from tests.warehouse_server import Databases
from warehouse.contract import Outcome, RunKind, RunResult
from warehouse.schema import database_roles
from warehouse.schema.tables import quarantine, raw_documents, run_results, source_data, transformed_data

CLIENT = RequestClient("127.0.0.1", "tests")
CHEAPEST_BCRYPT = 4
"""The lowest cost that bcrypt allows. The API itself accepts none below 10."""
_PAGE = b"<html></html>"
_PAGE_SHA256 = "b633a587c652d02386c4f16f8c6f6aab7352d97f16367c3c40576214372dd628"


@dataclass
class FakeRun:
    """A run of the fake Dagster."""

    run_id: str
    idnos: tuple[str, ...]
    launch_id: UUID
    kind: RunKind
    requested_by: str
    since: datetime
    request_id: str | None = None
    traceparent: str | None = None
    status: RunStatus = RunStatus.STARTED


class FakeDagster(DagsterClient):
    """A fake of the Dagster client; the test controls its runs and failures."""

    def __init__(self) -> None:
        self.runs: list[FakeRun] = []
        self.terminated: list[str] = []
        self.is_down = False
        self.refusal: DagsterUnavailable | None = None
        self.loses_answers = False
        """Runs are launched, but the answer to the launch is lost."""

    async def check(self) -> None:
        """See DagsterClient."""
        self._answer()

    async def parts(self) -> dict[str, str]:
        """See DagsterClient."""
        self._answer()
        return {"dagster": "ok", "daemon": "ok", "code_location": "ok"}

    async def list_recent_runs(self, since: float, *, limit: int) -> tuple[list[ListedRun], list[ListedRun]]:
        """See DagsterClient."""
        self._answer()
        return [], []

    async def launch_scrape(self, idnos: Sequence[str], **given: Any) -> str:
        """See DagsterClient."""
        self._answer()
        if self.refusal:
            raise self.refusal
        run = FakeRun(str(uuid4()), tuple(idnos), **given)
        self.runs.append(run)
        if self.loses_answers:
            raise LaunchUnclear("no answer")
        return run.run_id

    async def terminate(self, run_id: str) -> None:
        """See DagsterClient."""
        self._answer()
        self.terminated.append(run_id)
        self.run(run_id).status = RunStatus.CANCELED

    async def find_run(self, launch_id: UUID) -> str | None:
        """See DagsterClient."""
        self._answer()
        return next((run.run_id for run in self.runs if run.launch_id == launch_id), None)

    async def statuses(self, run_ids: Sequence[str]) -> dict[str, RunStatus]:
        """See DagsterClient."""
        self._answer()
        return {run.run_id: run.status for run in self.runs if run.run_id in run_ids}

    def run(self, run_id: str) -> FakeRun:
        """Return a run."""
        return next(run for run in self.runs if run.run_id == run_id)

    def _answer(self) -> None:
        if self.is_down:
            raise DagsterUnavailable("Dagster does not answer")


@dataclass
class ApiHarness:
    """The services under test, and actions on them."""

    databases: Databases
    services: Services
    dagster: FakeDagster

    async def caller(self, role: Role = Role.STANDARD) -> Caller:
        """Create an account and return it as a caller."""
        username = f"user-{uuid4().hex[:12]}"
        user_id = uuid4()
        async with self.services.users.begin() as connection:
            account = {"id": user_id, "username": username, "password_hash": "-", "role": role}
            await connection.execute(insert(users).values(account))
        return Caller(user_id, username, role, SCOPES[role])

    def application(self) -> FastAPI:
        """Return the application on these services, instead of those that its lifespan would open."""
        app = create_app(self.services.settings)
        app.state.services = self.services
        return app

    @asynccontextmanager
    async def signed_in(self, role: Role = Role.STANDARD) -> AsyncIterator[httpx.AsyncClient]:
        """Yield an HTTP client of the API that is signed in as a new user."""
        transport = httpx.ASGITransport(self.application())
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
            account = {"username": f"user-{uuid4().hex[:12]}", "password": uuid4().hex}
            assert (await http.post("/auth/register/", json=account)).is_success
            async with self.services.users.begin() as connection:
                is_theirs = users.c.username == account["username"]
                await connection.execute(update(users).where(is_theirs).values(role=role))
            tokens = (await http.post("/auth/login/", json=account)).json()
            http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            yield http

    async def request_company(self, caller: Caller, idno: str) -> str:
        """Request a company with a forced refresh; return the run's id."""
        result = await service.request_company(self.services, caller, idno, force_refresh=True, wait=0)
        return result.run_id

    async def request_batch(
        self, caller: Caller, idnos: Sequence[Any], *, force: bool = True, key: str | None = None
    ) -> BatchAnswer:
        """Request many companies, and launch what waits."""
        request = BatchRequest(idnos=list(idnos), force_refresh=force)
        body = request.model_dump_json().encode()
        answer = await batches.submit(self.services, caller, request, key=key, body=body)
        await self.launch_waiting()
        return answer

    async def launch_waiting(self) -> None:
        """Launch everything that waits for a launch."""
        while await launch_unclaimed(self.services):
            pass

    async def run_reconciler(self) -> None:
        """Run the reconciler once, and launch what it schedules."""
        await reconcile(self.services)
        await self.launch_waiting()

    async def status(self, caller: Caller, run_id: str) -> ScrapeStatus:
        """Return the status of a run."""
        return await service.read_status(self.services, caller, run_id)

    async def state(self, caller: Caller, run_id: str) -> str:
        """Return the state of a run."""
        return str((await self.status(caller, run_id)).state)

    async def pass_time(self, by: timedelta) -> None:
        """Move claims and deferrals into the past."""
        async with self.services.users.begin() as connection:
            for column in (launches.c.claimed_until, scrapes.c.deferred_until):
                await connection.execute(update(column.table).values({column: column - by}))

    @contextmanager
    def counted_statements(self) -> Iterator[list[str]]:
        """Collect the statements that are sent to PostgreSQL, to either database."""
        sent: list[str] = []

        def collect(*arguments: Any) -> None:
            sent.append(str(arguments[2]))

        engines = [self.services.users.sync_engine, self.services.warehouse.sync_engine]
        for engine in engines:
            event.listen(engine, "before_cursor_execute", collect)
        try:
            yield sent
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", collect)

    def finish_company(
        self,
        run_id: str,
        idno: str,
        outcome: Outcome = Outcome.OK,
        *,
        transforms: bool = True,
        reports: bool = True,
        result: RunResult = RunResult.CAPTURED,
    ) -> None:
        """Simulate a run that finishes a company.

        Args:
            run_id: The run.
            idno: The company.
            outcome: Outcome of the visit.
            transforms: Whether the run stores a record, if the outcome is ok.
            reports: Whether the run stores its result.
            result: The result that it stores.
        """
        now = datetime.now(UTC)
        with self.databases.warehouse() as connection:
            capture_id = add_capture(connection, run_id, idno, outcome, at=now)
            if outcome is Outcome.OK and transforms:
                _record(connection, idno, capture_id, at=now)
            if reports:
                done = {"result": result, "source_data_id": capture_id, "attempts": 1, "ended_at": now}
                connection.execute(insert(run_results).values(run_id=run_id, idno=idno, **done))

    def defer_company(self, run_id: str, idno: str, until: datetime) -> None:
        """Simulate a run that defers a company."""
        with self.databases.warehouse() as connection:
            connection.execute(
                insert(run_results).values(
                    run_id=run_id,
                    idno=idno,
                    result=RunResult.DEFERRED,
                    attempts=0,
                    deferred_until=until,
                    reason="the site is paused",
                    ended_at=datetime.now(UTC),
                )
            )


def changed_settings(settings: ApiSettings, **changed: Any) -> ApiSettings:
    """Return the settings with some of them changed and validated, except for the cost of bcrypt."""
    cost = changed.pop("bcrypt_cost", settings.bcrypt_cost)
    kept = {name: getattr(settings, name) for name in settings.model_fields_set - {"bcrypt_cost"}}
    return ApiSettings(**{**kept, **changed}, _env_file=None).model_copy(update={"bcrypt_cost": cost})


@asynccontextmanager
async def open_harness(databases: Databases, redis_url: str, **changed: Any) -> AsyncIterator[ApiHarness]:
    """Yield a harness with empty stores, and with some settings changed."""
    settings = ApiSettings(
        users_url=databases.url(database_roles.API, database_roles.USERS_DATABASE),
        warehouse_url=databases.url(database_roles.API),
        redis_state_url=f"{redis_url}/0",
        redis_cache_url=f"{redis_url}/1",
        jwt_secret=uuid4().hex + uuid4().hex,
        dagster_url="http://127.0.0.1:1",
        dagster_key=uuid4().hex + uuid4().hex,
        _env_file=None,
    )
    settings = changed_settings(settings, **{"bcrypt_cost": CHEAPEST_BCRYPT, **changed})
    async with open_services(settings) as services:
        await services.state.flushall()
        async with services.users.begin() as connection:
            await _clear(connection)
        with databases.warehouse(database_roles.WAREHOUSE_OWNER) as warehouse:
            warehouse.execute(delete(quarantine))
            warehouse.execute(delete(transformed_data))
        dagster = FakeDagster()
        yield ApiHarness(databases, replace(services, dagster=dagster), dagster)


async def _clear(connection: AsyncConnection) -> None:
    for table in ("batches", "scrape_requests", "launch_scrapes", "scrapes", "launches", "users"):
        await connection.execute(text(f"DELETE FROM {table}"))


def add_capture(connection: Connection, run_id: str, idno: str, outcome: Outcome, *, at: datetime) -> int:
    """Store a capture of a visit at a time; return its id."""
    page = {"content": _PAGE, "content_type": "text/html", "size": len(_PAGE)}
    connection.execute(upsert(raw_documents).values(sha256=_PAGE_SHA256, **page).on_conflict_do_nothing())
    capture = {
        "idno": idno,
        "url": f"http://site/companies/{idno}",
        "status_code": 200,
        "outcome": outcome,
        "raw_html_sha256": _PAGE_SHA256,
        "fetched_at": at,
        "duration_ms": 1,
        "run_id": run_id,
        "error": None if outcome is Outcome.OK else f"it was {outcome}",
        "attempt": 1,
        "redirects": [],
    }
    added = insert(source_data).values(capture).returning(source_data.c.id)
    return int(connection.execute(added).scalar_one())


def _record(connection: Connection, idno: str, capture_id: int, *, at: datetime) -> None:
    record = {
        "idno": idno,
        "name": "Made up",
        "name_folded": "made up",
        "disagreements": {},
        "sources": {},
        "unknown": [],
        "notes": [],
        "source_data_id": capture_id,
        "fetched_at": at,
        "transform_version": 1,
        "transformed_at": at,
        "first_transformed_at": at,
    }
    connection.execute(
        upsert(transformed_data)
        .values(record)
        .on_conflict_do_update(index_elements=[transformed_data.c.idno], set_=record)
    )
