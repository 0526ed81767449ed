"""A user of the platform, as tests play one over HTTP."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from api.auth.roles import Role
from tests.local_http import local_client
from tests.polling import wait_for

OPEN_STATES = ("queued", "running", "deferred")


@dataclass
class PlatformUser:
    """An account, with an HTTP client that is signed in to it."""

    username: str
    password: str
    http: httpx.Client

    def sign_in(self) -> dict[str, Any]:
        """Sign in and send the new access token with later requests; return the whole answer."""
        answer = self.http.post("/auth/login/", json={"username": self.username, "password": self.password})
        assert answer.status_code == httpx.codes.OK, answer.text
        tokens: dict[str, Any] = answer.json()
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return tokens

    def ask(self, idno: str, *, force: bool = True) -> httpx.Response:
        """Request a company; with `force`, even if a fresh record is stored."""
        return self.http.post("/scrape/", json={"idno": idno, "force_refresh": force})

    def wait(self, run_id: str, *, seconds: float = 90) -> dict[str, Any]:
        """Wait until a run has ended and return its status."""

        def final_status() -> dict[str, Any] | None:
            answer = self.http.get(f"/scrape/{run_id}/", params={"wait": 10})
            assert answer.status_code == httpx.codes.OK, answer.text
            status: dict[str, Any] = answer.json()
            return None if status["state"] in OPEN_STATES else status

        return wait_for(f"the end of run {run_id}", final_status, seconds=seconds)

    def fetch(self, idno: str) -> dict[str, Any]:
        """Request a company with a new visit, wait for the run, and return its status."""
        answer = self.ask(idno)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return self.wait(answer.json()["run_id"])

    def request_run(self, idno: str) -> str:
        """Request a company and return the run's id; retry while Dagster recovers from an earlier fault."""
        run_id: str = wait_for("a run", lambda: self.ask(idno).json().get("run_id"), pause_seconds=1)
        return run_id


class Accounts(ABC):
    """Opens accounts at a running API and changes their roles."""

    url: str

    @property
    @abstractmethod
    def admin(self) -> httpx.Client:
        """An HTTP client with an admin's API key."""

    @contextmanager
    def signed_in(self) -> Iterator[PlatformUser]:
        """Register a new user and yield it, signed in."""
        with local_client(self.url) as http:
            yield registered_user(http)

    @contextmanager
    def signed_in_as(self, role: Role) -> Iterator[PlatformUser]:
        """Register a new user, give it a role and yield it, signed in."""
        with self.signed_in() as user:
            self.set_role(user.username, role)
            user.sign_in()
            yield user

    def set_role(self, username: str, role: Role) -> None:
        """Change a user's role through the admin API."""
        users = self.admin.get("/admin/users/", params={"q": username}).json()["users"]
        answer = self.admin.patch(f"/admin/users/{users[0]['id']}/", json={"role": role})
        assert answer.status_code == httpx.codes.OK, answer.text


def registered_user(http: httpx.Client) -> PlatformUser:
    """Register a new user and return it, signed in."""
    username, password = f"user-{uuid4().hex[:12]}", uuid4().hex
    account = {"username": username, "password": password, "email": f"{username}@example.com"}
    answer = http.post("/auth/register/", json=account)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    user = PlatformUser(username, password, http)
    user.sign_in()
    return user


def client_with_key(url: str, username: str, password: str, scopes: Sequence[str]) -> httpx.Client:
    """Create an API key for an account, and return an HTTP client that sends it."""
    http = local_client(url)
    tokens = http.post("/auth/login/", json={"username": username, "password": password}).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = http.post("/auth/keys/", json={"name": "tests", "scopes": scopes}, headers=headers)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    http.headers["X-API-Key"] = answer.json()["key"]
    return http
