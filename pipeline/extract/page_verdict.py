"""Page verdicts: the outcome of a visit, decided from what its page shows.

The outcome `ok` requires proof that the page shows the company with the visit's IDNO. Without
proof, the visit has another outcome.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.extract.browser.network_log import NetworkLog, NetworkRequest
from pipeline.transform.html.page_reader import is_error_text, read_html
from pipeline.transform.html.page_tree import PageTree, read_page, visible_text
from pipeline.transform.json.payloads import read_payloads
from pipeline.transform.merge import NotThisCompany, check_company
from pipeline.transform.vocabulary.labels import CHALLENGE_TEXTS, ERROR_TEXTS, NOT_FOUND_TEXTS, mentions
from warehouse.contract import Outcome

_MAX_MESSAGE_LENGTH = 600
"""A page that only shows a message, such as an error or a challenge, has at most this many characters."""


@dataclass(frozen=True)
class PageVerdict:
    """An outcome and its reason. `certain` means that the outcome cannot change during the rest of the visit."""

    outcome: Outcome
    reason: str | None = None
    certain: bool = False
    rate_limited: bool = False
    """Whether the answer had status 429."""
    retry_after: str | None = None
    """The value of the answer's Retry-After header."""


@dataclass(frozen=True)
class PageEvidence:
    """The evidence for a verdict at one moment of a visit."""

    idno: str
    html: str
    network: NetworkLog
    bodies: Sequence[bytes]
    is_final: bool = False
    """Whether the deadline has passed. Then the page is judged even if requests for data are unanswered."""
    look: str | None = None
    """What the browser recorded about the look of the page (see `pipeline/transform/html/look.py`)."""

    @cached_property
    def page(self) -> PageTree:
        """The parsed page, without the site's frame (header, navigation, footer)."""
        return read_page(self.html, self.look)

    @property
    def awaits_data(self) -> bool:
        """Whether a request for data on the company is unanswered. If so, the page is not yet judged a failure."""
        return not self.is_final and self.network.awaits_data_about(self.idno)


def judge(evidence: PageEvidence) -> PageVerdict | None:
    """Return the verdict on a page as it is now; None if the page does not yet show the company or a failure."""
    return (
        _judge_document(evidence)
        or _judge_company(evidence)
        or _judge_answers(evidence)
        or _judge_message(evidence)
    )


def judge_at_deadline(evidence: PageEvidence) -> PageVerdict:
    """Return the verdict on a page at the visit's deadline, when no earlier verdict was possible."""
    verdict = judge(replace(evidence, is_final=True))
    if verdict is not None:
        return verdict
    page = evidence.page
    if page.heading is not None:
        return PageVerdict(
            Outcome.INCOMPLETE,
            f"the page shows the heading {visible_text(page.heading)[:80]!r} but no proof of the company",
        )
    return PageVerdict(Outcome.TIMEOUT, "the page showed no company before the visit's deadline")


def _judge_document(evidence: PageEvidence) -> PageVerdict | None:
    document = evidence.network.document
    if document is None:
        return None
    if document.failure is not None and document.status_code is None:
        return PageVerdict(Outcome.NETWORK_ERROR, document.failure, certain=True)
    if _is_challenge(document) or _shows_challenge(evidence.page):
        return PageVerdict(
            Outcome.BLOCKED,
            f"the site answered with a challenge, status {document.status_code}",
            certain=True,
        )
    return _judge_status(document, "the document", certain=True)


def _judge_status(request: NetworkRequest, what: str, *, certain: bool) -> PageVerdict | None:
    status = request.status_code
    if status is None or status < 400:
        return None
    wait = request.headers.get("retry-after")
    reason = f"{what} was answered with status {status}" + (f", Retry-After {wait[:40]}" if wait else "")
    if status in (401, 403, 429) or _is_challenge(request):
        return PageVerdict(Outcome.BLOCKED, reason, certain, rate_limited=status == 429, retry_after=wait)
    if status >= 500:
        return PageVerdict(Outcome.SERVER_ERROR, reason, certain, retry_after=wait)
    return PageVerdict(Outcome.NOT_FOUND, reason, certain) if status in (404, 410) else None


def _is_challenge(request: NetworkRequest) -> bool:
    return request.headers.get("cf-mitigated", "").lower() == "challenge"


def _shows_challenge(page: PageTree) -> bool:
    if mentions(page.title, CHALLENGE_TEXTS):
        return True
    text = visible_text(page.root)
    return (
        len(text) < _MAX_MESSAGE_LENGTH
        and page.heading is not None
        and mentions(visible_text(page.heading), CHALLENGE_TEXTS)
    )


def _judge_company(evidence: PageEvidence) -> PageVerdict | None:
    """Return `ok` if the page proves that it shows this company, `wrong_page` if it shows another; otherwise None."""
    page, payload = (
        read_html(evidence.html, evidence.idno, evidence.look),
        read_payloads(evidence.bodies, evidence.idno),
    )
    if page.idno is not None and page.idno != evidence.idno and page.name is not None:
        return PageVerdict(Outcome.WRONG_PAGE, f"the page shows the company {page.idno}")
    try:
        check_company(evidence.idno, page, payload)
    except NotThisCompany as doubt:
        if page.name is not None and payload is not None:
            return PageVerdict(Outcome.WRONG_PAGE, str(doubt))
        return None
    return PageVerdict(Outcome.OK)


def _judge_answers(evidence: PageEvidence) -> PageVerdict | None:
    """Judge the answer to the page's own request for data on this company.

    Return None if the answer has not arrived or shows no failure.
    """
    request = evidence.network.data_request_for(evidence.idno)
    if request is None or evidence.awaits_data:
        return None
    if verdict := _judge_status(request, request.url, certain=False):
        return verdict
    if request.failure:
        return PageVerdict(Outcome.NETWORK_ERROR, f"{request.url}: {request.failure}")
    if any(_is_malformed(body) for body in evidence.bodies) and mentions(
        visible_text(evidence.page.root), ERROR_TEXTS
    ):
        return PageVerdict(Outcome.SERVER_ERROR, "the page's data is malformed JSON")
    return None


def _is_malformed(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return True
    return False


def _judge_message(evidence: PageEvidence) -> PageVerdict | None:
    """Judge the message that the page shows instead of a company. Return None if the page shows no known message."""
    if evidence.awaits_data:
        return None
    page = evidence.page
    heading = visible_text(page.heading) if page.heading else ""
    text = heading or visible_text(page.root)
    if len(text) > _MAX_MESSAGE_LENGTH:
        return None
    if mentions(text, NOT_FOUND_TEXTS):
        return PageVerdict(Outcome.NOT_FOUND, f"the site says {text[:80]!r}")
    if heading and is_error_text(heading):
        return PageVerdict(Outcome.SERVER_ERROR, f"the site says {text[:80]!r}")
    return None
