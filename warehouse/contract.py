"""Names that pipeline and api share: jobs, assets, tags, run config, Redis keys, events, outcomes."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

SCRAPE_JOB = "scrape_companies"
CODE_LOCATION = "registru"
REPOSITORY = "__repository__"

SOURCE_DATA_ASSET = "source_data"
TRANSFORMED_DATA_ASSET = "transformed_data"

IDNO_TAG = "registru/idno"
SCRAPE_ID_TAG = "registru/scrape_id"
REQUESTED_BY_TAG = "registru/requested_by"
MAX_RUNTIME_TAG = "dagster/max_runtime"

USER_HEADER = "X-Registru-User"
"""Who is calling, as the gateway tells Dagster after it has asked the API."""
ROLE_HEADER = "X-Registru-Role"
SCOPES_HEADER = "X-Registru-Scopes"
"""What they may do, separated by spaces; it decides which of Dagster's two web UIs they get."""
KEY_HEADER = "X-Registru-Key"
"""What the gateway and the API show to Dagster's webservers, which serve nobody else."""


class Outcome(StrEnum):
    """What became of one visit. Only `ok` is ever transformed or cached as data."""

    OK = "ok"
    NOT_FOUND = "not_found"
    BLOCKED = "blocked"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    NETWORK_ERROR = "network_error"
    BROWSER_ERROR = "browser_error"
    WRONG_PAGE = "wrong_page"
    INCOMPLETE = "incomplete"


def company_key(idno: str) -> str:
    """Redis key (cache database) of a company's current record as JSON."""
    return f"company:{idno}"


def rate_key(host: str) -> str:
    """Redis key (state database) of the time of a host's next free visit."""
    return f"rate:{host}"


def scrape_run_config(idnos: Sequence[str]) -> dict[str, Any]:
    """Run config of the job SCRAPE_JOB for these companies."""
    return {"ops": {SOURCE_DATA_ASSET: {"config": {"idnos": list(idnos)}}}}
