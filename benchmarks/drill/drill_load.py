"""The clients that use the platform while it is in trouble, each in a thread with a connection of its own."""

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
from benchmarks.drill.samples import Sample, SampleKind, SeenSamples
from tests.platform_harness import Platform
from tests.platform_user import OPEN_STATES, PlatformUser

_SILENT_SECONDS = 60.0
_AFTER_BAD_SECONDS = 0.3
_BATCH = 6
_SHOWN = 160
_TAKEN_ON = (200, 202)

Body = dict[str, Any]
Job = Callable[["DrillClient"], None]


@dataclass
class Work:
    """The clients at work during one fault: what they have seen, and until when they go on."""

    platform: Platform
    ledger: Ledger
    samples: list[Sample] = field(default_factory=list)
    companies: list[LedgerCompany] = field(default_factory=list)
    begins_nothing: threading.Event = field(default_factory=threading.Event)
    """Set: no new companies; what is under way is brought to its end."""
    is_over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    """Of those who fetch companies."""
    waiting: dict[int, float] = field(default_factory=dict)
    """Since when each client waits for an answer, by its thread."""

    def has_waited_since_before(self, moment: float) -> bool:
        """Tell whether somebody still waits for the answer to a request that was sent before."""
        return any(since < moment for since in list(self.waiting.values()))

    def take(self, count: int = 1) -> list[LedgerCompany]:
        """Take companies that nobody has asked for yet."""
        taken = self.ledger.take(count)
        self.companies += taken
        return taken

    def end(self, seconds: float) -> None:
        """Begin nothing, and wait until all that was begun has ended, for so long at most."""
        self.begins_nothing.set()
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.is_over.set()


class DrillClient:
    """One connection, whose every request leaves a sample."""

    def __init__(self, http: httpx.Client, work: Work) -> None:
        self.http, self.work = http, work

    def ask(
        self,
        kind: SampleKind,
        method: str,
        url: str,
        *,
        good: Collection[int] = (200,),
        check: Callable[[Body], str | None] = lambda _: None,
        **options: Any,
    ) -> Body | None:
        """Return the body of a right answer; None for any other. `check` says what is wrong with a body."""
        begun = time.monotonic()
        body: Body | None = None
        self.work.waiting[threading.get_ident()] = begun
        try:
            answer = self.http.request(method, url, **options)
            seen, said = _judged(answer, good, is_health=kind is SampleKind.HEALTH)
            if seen is SeenSamples.OK:
                body = answer.json()
                if wrong := check(body):
                    seen, said, body = SeenSamples.WRONG, wrong, None
        except httpx.TimeoutException as error:
            seen, said = SeenSamples.SILENT, type(error).__name__
        except httpx.TransportError as error:
            seen, said = SeenSamples.CUT, type(error).__name__
        finally:
            del self.work.waiting[threading.get_ident()]
        self.note(kind, begun, seen, said)
        if body is None:
            self.work.is_over.wait(_AFTER_BAD_SECONDS)
        return body

    def note(self, kind: SampleKind, begun: float, seen: SeenSamples, said: str = "") -> None:
        """Leave a sample."""
        self.work.samples.append(Sample(kind, begun, time.monotonic() - begun, seen, said))


def _judged(
    answer: httpx.Response, good: Collection[int], *, is_health: bool = False
) -> tuple[SeenSamples, str]:
    if answer.status_code in good:
        return SeenSamples.OK, ""
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and (
        is_health or "Retry-After" in answer.headers
    ):
        return SeenSamples.UNAVAILABLE, ""
    if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR and "psycopg2.OperationalError" in answer.text:
        return SeenSamples.CUT, "Dagster says that the database closed the connection"
    return SeenSamples.WRONG, f"{answer.status_code} {answer.text[:_SHOWN]}"


@dataclass
class Crew:
    """Who uses the platform: accounts that outlive every fault, and a company that is held."""

    people: list[PlatformUser]
    analyst_key: str
    held: str
    refresh_token: str = ""

    @contextmanager
    def at_work(self, platform: Platform, ledger: Ledger) -> Iterator[Work]:
        """Yield the work of all; afterwards nobody works any more."""
        work = Work(platform, ledger)
        fetching: list[Job] = [
            partial(_fetch_companies, person=self.people[0], follow=_poll),
            partial(_fetch_companies, person=self.people[1], follow=_listen),
            partial(_fetch_batches, person=self.people[2]),
        ]
        using: list[Job] = [
            partial(_read_held, person=self.people[0], idno=self.held),
            partial(_read_held, person=self.people[1], idno=self.held),
            partial(_sign_in, person=self.people[3]),
            partial(_refresh, crew=self, person=self.people[4]),
            partial(_look_at_runs, key=self.analyst_key),
            _ask_for_health,
        ]
        work.threads = [_started(each, work) for each in fetching]
        others = [_started(each, work) for each in using]
        try:
            yield work
        finally:
            work.begins_nothing.set()
            work.is_over.set()
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


def _read_held(client: DrillClient, *, person: PlatformUser, idno: str) -> None:
    def check(body: Body) -> str | None:
        return None if body["cached"] and body["data"]["idno"] == idno else f"not from the cache: {body}"

    while not client.work.is_over.wait(0.2):
        client.ask(
            SampleKind.CACHED, "POST", "/scrape/", json={"idno": idno}, check=check, headers=_as(person)
        )


def _sign_in(client: DrillClient, *, person: PlatformUser) -> None:
    account = {"username": person.username, "password": person.password}
    while not client.work.is_over.wait(2):
        client.ask(SampleKind.SIGN_IN, "POST", "/auth/login/", json=account)


def _refresh(client: DrillClient, *, crew: Crew, person: PlatformUser) -> None:
    """Get the next tokens again and again, as a client does that keeps its session."""
    while not client.work.is_over.wait(1):
        token = {"refresh_token": crew.refresh_token}
        if body := client.ask(SampleKind.REFRESH, "POST", "/auth/refresh/", json=token):
            crew.refresh_token = body["refresh_token"]
        elif (last := client.work.samples[-1]).kind is SampleKind.REFRESH and last.said.startswith("401"):
            client.work.ledger.problems.append("a session was lost: its refresh token was refused")
            crew.refresh_token = person.sign_in()["refresh_token"]


def _look_at_runs(client: DrillClient, *, key: str) -> None:
    def check(body: Body) -> str | None:
        runs = (body.get("data") or {}).get("runsOrError") or {}
        return None if runs.get("__typename") == "Runs" else f"no runs: {str(body)[:_SHOWN]}"

    query = {"query": "{ runsOrError(limit: 5) { __typename ... on Runs { results { status } } } }"}
    while not client.work.is_over.wait(1):
        headers = {"X-API-Key": key}
        client.ask(SampleKind.WEB_UI, "POST", "/dagster/graphql", json=query, headers=headers, check=check)


def _ask_for_health(client: DrillClient) -> None:
    while not client.work.is_over.wait(0.5):
        client.ask(SampleKind.HEALTH, "GET", "/health/")


Follow = Callable[[DrillClient, Mapping[str, str], str], Body | None]


def _fetch_companies(client: DrillClient, *, person: PlatformUser, follow: Follow) -> None:
    work = client.work
    while not work.begins_nothing.wait(0.5):
        [company], begun = work.take(), time.monotonic()
        status = _fetch(client, company, _as(person), follow)
        if status is None:
            return  # it is over
        company.state = str(status["state"])
        wrong = company.problem or (wrong_record(company, status["data"]) if company.is_there else None)
        client.note(SampleKind.FETCHED, begun, SeenSamples.WRONG if wrong else SeenSamples.OK, wrong or "")


def _fetch(
    client: DrillClient, company: LedgerCompany, headers: Mapping[str, str], follow: Follow
) -> Body | None:
    """Ask for a company until the platform takes it on, and return how it ended; None if it did not in time."""
    while not client.work.is_over.is_set():
        question = {"idno": company.idno}
        answer = client.ask(
            SampleKind.SCRAPE, "POST", "/scrape/", json=question, headers=headers, good=_TAKEN_ON
        )
        if answer is None:
            continue
        company.was_accepted = True
        if answer["data"]:  # asked for before, by a request whose answer was lost
            return {"state": "succeeded", "data": answer["data"]}
        return follow(client, headers, answer["status_url"])
    return None


def _poll(client: DrillClient, headers: Mapping[str, str], url: str) -> Body | None:
    while not client.work.is_over.wait(0.4):
        status = client.ask(SampleKind.STATUS, "GET", url, headers=headers)
        if status and status["state"] not in OPEN_STATES:
            return status
    return None


def _listen(client: DrillClient, headers: Mapping[str, str], url: str) -> Body | None:
    """Follow a run by its events, connecting again whenever the stream ends before the run."""
    while not client.work.is_over.is_set():
        begun, status = time.monotonic(), None
        try:
            with client.http.stream("GET", f"{url}events", headers=headers) as stream:
                for event in _events(stream):
                    if status is None:
                        client.note(SampleKind.EVENTS, begun, SeenSamples.OK)
                    status = event
                if not stream.is_success:
                    client.note(SampleKind.EVENTS, begun, *_judged(stream, ()))
        except httpx.TransportError as error:
            seen = SeenSamples.SILENT if isinstance(error, httpx.TimeoutException) else SeenSamples.CUT
            client.note(SampleKind.EVENTS, begun, seen, type(error).__name__)
        if status and status["state"] not in OPEN_STATES:
            return dict(status)
        client.work.is_over.wait(_AFTER_BAD_SECONDS)
    return None


def _events(stream: httpx.Response) -> Iterator[Body]:
    """Yield what the events of a stream tell; nothing of a refusal, which is read whole."""
    if not stream.is_success:
        stream.read()
        return
    for line in stream.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def _fetch_batches(client: DrillClient, *, person: PlatformUser) -> None:
    work = client.work
    while not work.begins_nothing.wait(0.5):
        companies, key = work.take(_BATCH), uuid4().hex
        headers = {**_as(person), "Idempotency-Key": key}
        idnos = [company.idno for company in companies]
        answer = None
        while answer is None and not work.is_over.is_set():
            question = {"idnos": idnos}
            answer = client.ask(
                SampleKind.BATCH, "POST", "/scrape/batch/", json=question, headers=headers, good=_TAKEN_ON
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
    while not client.work.is_over.wait(0.7):
        status = client.ask(SampleKind.BATCH_STATUS, "GET", url, headers=headers)
        if status and status["state"] != "running":
            states = {each["idno"]: each["state"] for each in status["companies"]}
            for company in companies:
                company.state = states.get(company.idno)
            return
