"""The clients that use the platform during a fault. Each client has a thread and an HTTP connection of its own."""

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.drill.ledger import Ledger, LedgerCompany, wrong_record
from benchmarks.drill.samples import Sample, SampleKind, SampleResult
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser

_SILENT_SECONDS = 60.0
_RETRY_AFTER_SECONDS = 0.3
_BATCH = 6
_SHOWN = 160
_ACCEPTED = (200, 202)

Body = dict[str, Any]
Job = Callable[["DrillClient"], None]


@dataclass
class Work:
    """The state of all clients during one fault: their samples, and the events that make them stop."""

    platform: Platform
    ledger: Ledger
    samples: list[Sample] = field(default_factory=list)
    companies: list[LedgerCompany] = field(default_factory=list)
    stop_starting: threading.Event = field(default_factory=threading.Event)
    """If set, clients request no more companies, but wait for those that they have requested."""
    stopped: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    """Threads of the clients that fetch companies."""
    waiting: dict[int, float] = field(default_factory=dict)
    """For each client that waits for a response: its thread id → when it sent the request (monotonic clock)."""

    def has_request_older_than(self, moment: float) -> bool:
        """Return whether a client still waits for the response to a request sent before `moment` (monotonic clock)."""
        return any(since < moment for since in list(self.waiting.values()))

    def take(self, count: int = 1) -> list[LedgerCompany]:
        """Return `count` companies that were not requested before, and record them as requested during this fault."""
        taken = self.ledger.take(count)
        self.companies += taken
        return taken

    def end(self, seconds: float) -> None:
        """Stop requesting companies, wait at most `seconds` for those already requested, then stop all clients."""
        self.stop_starting.set()
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.stopped.set()


class DrillClient:
    """An HTTP client that records a sample for every request."""

    def __init__(self, http: httpx.Client, work: Work) -> None:
        self.http, self.work = http, work

    def send(
        self,
        kind: SampleKind,
        method: str,
        url: str,
        *,
        good: Collection[int] = (200,),
        check: Callable[[Body], str | None] = lambda _: None,
        **options: Any,
    ) -> Body | None:
        """Send a request and record a sample.

        Args:
            kind: The kind of the sample.
            method: The HTTP method.
            url: The path of the request.
            good: Status codes of a correct response.
            check: A function that returns what is wrong with the body of a response, or None.
            **options: Passed to httpx.

        Returns:
            The body of a correct response, otherwise None.
        """
        begun = time.monotonic()
        body: Body | None = None
        self.work.waiting[threading.get_ident()] = begun
        try:
            answer = self.http.request(method, url, **options)
            result, detail = _classify(answer, good, is_health=kind is SampleKind.HEALTH)
            if result is SampleResult.OK:
                body = answer.json()
                if wrong := check(body):
                    result, detail, body = SampleResult.WRONG, wrong, None
        except httpx.TimeoutException as error:
            result, detail = SampleResult.SILENT, type(error).__name__
        except httpx.TransportError as error:
            result, detail = SampleResult.CUT, type(error).__name__
        finally:
            del self.work.waiting[threading.get_ident()]
        self.add_sample(kind, begun, result, detail)
        if body is None:
            self.work.stopped.wait(_RETRY_AFTER_SECONDS)
        return body

    def add_sample(self, kind: SampleKind, begun: float, result: SampleResult, detail: str = "") -> None:
        """Record a sample."""
        self.work.samples.append(Sample(kind, begun, time.monotonic() - begun, result, detail))


def _classify(
    answer: httpx.Response, good: Collection[int], *, is_health: bool = False
) -> tuple[SampleResult, str]:
    if answer.status_code in good:
        return SampleResult.OK, ""
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and (
        is_health or "Retry-After" in answer.headers
    ):
        return SampleResult.UNAVAILABLE, ""
    if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR and "psycopg2.OperationalError" in answer.text:
        return SampleResult.CUT, "Dagster reports that the database closed the connection"
    return SampleResult.WRONG, f"{answer.status_code} {answer.text[:_SHOWN]}"


@dataclass
class Crew:
    """The accounts that the clients use during all faults, and a company whose record is cached."""

    people: list[PlatformUser]
    analyst_key: str
    cached_idno: str
    refresh_token: str = ""

    @contextmanager
    def working(self, platform: Platform, ledger: Ledger) -> Iterator[Work]:
        """Start all clients and yield their shared state; stop the clients when the block ends."""
        work = Work(platform, ledger)
        fetching: list[Job] = [
            partial(_fetch_companies, person=self.people[0], follow=_poll),
            partial(_fetch_companies, person=self.people[1], follow=_subscribe),
            partial(_fetch_batches, person=self.people[2]),
        ]
        using: list[Job] = [
            partial(_read_cached, person=self.people[0], idno=self.cached_idno),
            partial(_read_cached, person=self.people[1], idno=self.cached_idno),
            partial(_sign_in, person=self.people[3]),
            partial(_refresh, crew=self, person=self.people[4]),
            partial(_view_runs, key=self.analyst_key),
            _read_health,
        ]
        work.threads = [_started(each, work) for each in fetching]
        others = [_started(each, work) for each in using]
        try:
            yield work
        finally:
            work.stop_starting.set()
            work.stopped.set()
            for thread in [*work.threads, *others]:
                thread.join()


def _started(job: Job, work: Work) -> threading.Thread:
    def run() -> None:
        url = work.platform.url
        with httpx.Client(base_url=url, timeout=_SILENT_SECONDS, trust_env=False) as http:
            job(DrillClient(http, work))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _as(person: PlatformUser) -> dict[str, str]:
    return {"Authorization": person.http.headers["Authorization"]}


def _read_cached(client: DrillClient, *, person: PlatformUser, idno: str) -> None:
    def check(body: Body) -> str | None:
        return None if body["cached"] and body["data"]["idno"] == idno else f"not from the cache: {body}"

    while not client.work.stopped.wait(0.2):
        client.send(
            SampleKind.CACHED, "POST", "/scrape/", json={"idno": idno}, check=check, headers=_as(person)
        )


def _sign_in(client: DrillClient, *, person: PlatformUser) -> None:
    account = {"username": person.username, "password": person.password}
    while not client.work.stopped.wait(2):
        client.send(SampleKind.SIGN_IN, "POST", "/auth/login/", json=account)


def _refresh(client: DrillClient, *, crew: Crew, person: PlatformUser) -> None:
    """Refresh the tokens repeatedly, as a client with a long session does."""
    while not client.work.stopped.wait(1):
        token = {"refresh_token": crew.refresh_token}
        if body := client.send(SampleKind.REFRESH, "POST", "/auth/refresh/", json=token):
            crew.refresh_token = body["refresh_token"]
        elif (last := client.work.samples[-1]).kind is SampleKind.REFRESH and last.detail.startswith("401"):
            client.work.ledger.problems.append("a session was lost: its refresh token was refused")
            crew.refresh_token = person.sign_in()["refresh_token"]


def _view_runs(client: DrillClient, *, key: str) -> None:
    def check(body: Body) -> str | None:
        runs = (body.get("data") or {}).get("runsOrError") or {}
        return None if runs.get("__typename") == "Runs" else f"no runs: {str(body)[:_SHOWN]}"

    query = {"query": "{ runsOrError(limit: 5) { __typename ... on Runs { results { status } } } }"}
    while not client.work.stopped.wait(1):
        headers = {"X-API-Key": key}
        client.send(SampleKind.WEB_UI, "POST", "/dagster/graphql", json=query, headers=headers, check=check)


def _read_health(client: DrillClient) -> None:
    while not client.work.stopped.wait(0.5):
        client.send(SampleKind.HEALTH, "GET", "/health/")


Follow = Callable[[DrillClient, Mapping[str, str], str], Body | None]


def _fetch_companies(client: DrillClient, *, person: PlatformUser, follow: Follow) -> None:
    work = client.work
    while not work.stop_starting.wait(0.5):
        [company], begun = work.take(), time.monotonic()
        status = _fetch(client, company, _as(person), follow)
        if status is None:
            return  # stopped
        company.state = str(status["state"])
        wrong = company.problem or (wrong_record(company, status["data"]) if company.exists else None)
        client.add_sample(
            SampleKind.FETCHED, begun, SampleResult.WRONG if wrong else SampleResult.OK, wrong or ""
        )


def _fetch(
    client: DrillClient, company: LedgerCompany, headers: Mapping[str, str], follow: Follow
) -> Body | None:
    """Request a company until the platform accepts this; return the final status, or None if stopped earlier."""
    while not client.work.stopped.is_set():
        question = {"idno": company.idno}
        answer = client.send(
            SampleKind.SCRAPE, "POST", "/scrape/", json=question, headers=headers, good=_ACCEPTED
        )
        if answer is None:
            continue
        company.was_accepted = True
        if answer["data"]:  # an earlier request was accepted, but its response was lost
            return {"state": "succeeded", "data": answer["data"]}
        return follow(client, headers, answer["status_url"])
    return None


def _poll(client: DrillClient, headers: Mapping[str, str], url: str) -> Body | None:
    while not client.work.stopped.wait(0.4):
        status = client.send(SampleKind.STATUS, "GET", url, headers=headers)
        if status and status["state"] not in OPEN_STATES:
            return status
    return None


def _subscribe(client: DrillClient, headers: Mapping[str, str], url: str) -> Body | None:
    """Follow a run by its events. If the stream ends before the run has ended, reconnect."""
    while not client.work.stopped.is_set():
        begun, status = time.monotonic(), None
        try:
            with client.http.stream("GET", f"{url}events", headers=headers) as stream:
                for event in _events(stream):
                    if status is None:
                        client.add_sample(SampleKind.EVENTS, begun, SampleResult.OK)
                    status = event
                if not stream.is_success:
                    client.add_sample(SampleKind.EVENTS, begun, *_classify(stream, ()))
        except httpx.TransportError as error:
            result = SampleResult.SILENT if isinstance(error, httpx.TimeoutException) else SampleResult.CUT
            client.add_sample(SampleKind.EVENTS, begun, result, type(error).__name__)
        if status and status["state"] not in OPEN_STATES:
            return dict(status)
        client.work.stopped.wait(_RETRY_AFTER_SECONDS)
    return None


def _events(stream: httpx.Response) -> Iterator[Body]:
    """Yield the data of a stream's events. If the request was refused, read the response and yield nothing."""
    if not stream.is_success:
        stream.read()
        return
    for line in stream.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def _fetch_batches(client: DrillClient, *, person: PlatformUser) -> None:
    work = client.work
    while not work.stop_starting.wait(0.5):
        companies, key = work.take(_BATCH), uuid4().hex
        headers = {**_as(person), "Idempotency-Key": key}
        idnos = [company.idno for company in companies]
        answer = None
        while answer is None and not work.stopped.is_set():
            question = {"idnos": idnos}
            answer = client.send(
                SampleKind.BATCH, "POST", "/scrape/batch/", json=question, headers=headers, good=_ACCEPTED
            )
        if answer is None:
            return
        for company in companies:
            company.was_accepted = True
        work.ledger.batches[answer["status_url"]] = companies
        _follow_batch(client, answer["status_url"], _as(person), companies)


def _follow_batch(
    client: DrillClient, url: str, headers: Mapping[str, str], companies: Collection[LedgerCompany]
) -> None:
    while not client.work.stopped.wait(0.7):
        status = client.send(SampleKind.BATCH_STATUS, "GET", url, headers=headers)
        if status and status["state"] != "running":
            states = {each["idno"]: each["state"] for each in status["companies"]}
            for company in companies:
                company.state = states.get(company.idno)
            return
