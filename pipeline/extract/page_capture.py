"""The capture: everything that one visit stores."""

from datetime import datetime
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from warehouse.contract import Outcome


class Payload(BaseModel):
    """A JSON body that the page fetched; `body` is None if the browser did not keep it or it is too large."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    url: str
    status_code: int | None
    response_headers: dict[str, str] = Field(default_factory=dict)
    body: bytes | None


class Hop(BaseModel):
    """A redirect on the way to the document."""

    model_config = ConfigDict(frozen=True)

    url: str
    status_code: int
    response_headers: dict[str, str]


class Capture(BaseModel):
    """Everything that one visit to a company's page saw, with its outcome.

    `status_code` and `response_headers` are those of the main document (None without an answer). `document` is the
    body of that document as received, `html` the page as rendered, `look` what the browser recorded about its look (a
    JSON document, see `pipeline/transform/html/look.py`), `screenshot` a PNG. `timings` are in milliseconds.
    `attempt` numbers the run's visits to the company, from 1. `error` is the reason for the outcome.
    """

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    capture_id: UUID = Field(default_factory=uuid4)
    idno: str
    url: str
    final_url: str | None
    status_code: int | None
    outcome: Outcome
    html: str | None
    look: str | None = None
    payloads: tuple[Payload, ...] = ()
    fetched_at: datetime
    duration_ms: int
    error: str | None = None
    browser: str | None = None
    attempt: int = 1
    response_headers: dict[str, str] | None = None
    redirects: tuple[Hop, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)
    document: bytes | None = None
    screenshot: bytes | None = None
