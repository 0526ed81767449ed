"""What one visit leaves behind."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from warehouse.contract import Outcome


class Payload(BaseModel):
    """A JSON body that the page fetched. `body` is None where the browser did not hand it out."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    url: str
    status_code: int | None
    body: bytes | None


class Capture(BaseModel):
    """One visit to a company's page: everything that was seen, and what it proves.

    `status_code` is the main document's (None when none came), `html` the complete rendered document.
    """

    model_config = ConfigDict(frozen=True)

    idno: str
    url: str
    final_url: str | None
    status_code: int | None
    outcome: Outcome
    html: str | None
    payloads: tuple[Payload, ...] = ()
    fetched_at: datetime
    duration_ms: int
    error: str | None = None
    browser: str | None = None
