"""A user of the platform, as tests play one over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx

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
