"""The API client that the commands of this machine use."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import httpx

from stack.secrets import OPERATOR, Secrets
from stack.stack_error import StackError

_POLL_SECONDS = 0.3
OPEN_STATES = ("queued", "running", "deferred")


class ApiClient:
    """An HTTP client of the API. After `sign_in`, each call carries the access token."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def register(self, username: str, password: str, email: str | None = None) -> bool:
        """Create an account. Return False if the username is taken."""
        answer = self.http.post(
            "/auth/register/", json={"username": username, "password": password, "email": email}
        )
        if answer.status_code == httpx.codes.CONFLICT:
            return False
        _checked(answer)
        return True

    def sign_in(self, username: str, password: str) -> None:
        """Sign in. Later calls carry the access token."""
        answer = _checked(self.http.post("/auth/login/", json={"username": username, "password": password}))
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def request_company(self, idno: str, *, force: bool = False) -> dict[str, Any]:
        """Request a company and return the API's answer.

        If `cached` in the answer is true, `data` is the record. Otherwise, `run_id` is the id to pass to `watch`. With
        `force`, the company is visited even if a fresh record is stored.
        """
        return _checked(self.http.post("/scrape/", json={"idno": idno, "force_refresh": force}))

    def watch(self, run_id: str) -> Iterator[dict[str, Any]]:
        """Yield the status of a request each time its state changes, until the request has ended."""
        last_state = None
        while True:
            status = _checked(self.http.get(f"/scrape/{run_id}/"))
            if status["state"] != last_state:
                last_state = status["state"]
                yield status
            if last_state not in OPEN_STATES:
                return
            time.sleep(_POLL_SECONDS)


def scrape(client: ApiClient, idno: str, *, force: bool, on_state: Callable[[str], None]) -> dict[str, Any]:
    """Request a company, wait until its scrape has ended, and return {idno, state, cached, error, data}.

    If the record was not cached, the result also has a `run_id`. `on_state` gets each state of the scrape.
    """
    answer = client.request_company(idno, force=force)
    if answer["cached"]:
        on_state("cached")
        return {"idno": idno, "state": "succeeded", "cached": True, "error": None, "data": answer["data"]}
    status: dict[str, Any] = {}
    for status in client.watch(answer["run_id"]):
        on_state(status["state"])
    return {
        "idno": idno,
        "cached": False,
        **{key: status[key] for key in ("run_id", "state", "error", "data")},
    }


def operator_client(url: str, secrets: Secrets) -> ApiClient:
    """Return a client that is signed in as the operator of this home."""
    client = ApiClient(url)
    client.sign_in(OPERATOR, secrets.operator)
    return client


def _checked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_success:
        return dict(answer.json())
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:200]
    raise StackError(
        f"the API answered {answer.request.method} {answer.request.url.path} with {answer.status_code}: {detail}"
    )
