"""Page verdicts: the outcome of a visit, decided from what its page shows.

The outcome `ok` requires proof that the page shows the company with the visit's IDNO. The proof decides first: neither
the document's status nor a text refutes it. (A single-page application on a static host answers 404 for every path; the
capture keeps the status.) Only if the proof fails, status and messages tell which other outcome the visit has.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.extract.browser.network_log import NetworkLog, NetworkRequest
from pipeline.transform.html.heading_name import title_starts
from pipeline.transform.html.page_reader import read_html
from pipeline.transform.html.page_tree import (
    MAX_TAGS,
    TEXT,
    Node,
    PageTree,
    has_too_many_tags,
    read_page,
    visible_text,
)
from pipeline.transform.json.payloads import read_payloads
from pipeline.transform.merge import NotThisCompany, check_company
from pipeline.transform.vocabulary.messages import Message, message_of
from warehouse.contract import Outcome

_MAX_CHALLENGE_LENGTH = 1500
"""A challenge, which explains itself to the visitor, has at most this many characters."""
_MAX_MESSAGE_LENGTH = 600
"""A page that only shows a message, such as an error or a challenge, has at most this many characters."""


_NOT_FOUND = (404, 410)
_MESSAGES = {
    Message.NOT_FOUND: Outcome.NOT_FOUND,
    Message.ERROR: Outcome.SERVER_ERROR,
    Message.MAINTENANCE: Outcome.SERVER_ERROR,
    Message.CHALLENGE: Outcome.BLOCKED,
    Message.LIMIT: Outcome.BLOCKED,
    Message.SIGN_IN: Outcome.INCOMPLETE,
    Message.SEARCH: Outcome.WRONG_PAGE,
}
"""The outcomes of messages that a page shows instead of a company. While a page is loading, there is no outcome."""


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
    if has_too_many_tags(evidence.html):
        return PageVerdict(Outcome.INCOMPLETE, f"the page has more than {MAX_TAGS} tags", certain=True)
    return (
        _judge_connection(evidence)
        or _judge_company(evidence)
        or _judge_document(evidence)
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


def _judge_connection(evidence: PageEvidence) -> PageVerdict | None:
    """Return a verdict if no document of the site arrived: the connection failed, or a challenge was sent instead."""
    document = evidence.network.document
    if document is None:
        return None
    if document.failure is not None and document.status_code is None:
        return PageVerdict(Outcome.NETWORK_ERROR, document.failure, certain=True)
    return _challenge(document, certain=True) if _is_challenge(document) else None


def _challenge(document: NetworkRequest, *, certain: bool) -> PageVerdict:
    reason = f"the site answered with a challenge, status {document.status_code}"
    return PageVerdict(Outcome.BLOCKED, reason, certain)


def _judge_document(evidence: PageEvidence) -> PageVerdict | None:
    """Judge the status of the document, and a challenge that the page shows, when nothing proves the company."""
    document = evidence.network.document
    if document is None:
        return None
    has_failed = document.status_code is not None and document.status_code >= 400
    if _shows_challenge(evidence.page) and (has_failed or not evidence.awaits_data):
        return _challenge(document, certain=has_failed)
    if document.status_code not in _NOT_FOUND:
        return _judge_status(document, "the document", certain=True)
    # The scripts of a page with status 404 may still render the company.
    is_undecided = evidence.awaits_data or ("<script" in evidence.html and not evidence.page.root.text)
    if is_undecided and not evidence.is_final:
        return None
    return _judge_status(document, "the document", certain=False)


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
    return PageVerdict(Outcome.NOT_FOUND, reason, certain) if status in _NOT_FOUND else None


def _is_challenge(request: NetworkRequest) -> bool:
    return request.headers.get("cf-mitigated", "").lower() == "challenge"


def _shows_challenge(page: PageTree) -> bool:
    """Tell whether a page is a challenge by its texts and its size.

        <title>Just a moment...</title> <h1>openmoney.md</h1> <h2>Verifying you are human</h2>

    → True
    """
    if len(visible_text(page.root)) > _MAX_CHALLENGE_LENGTH:
        return False
    texts = (*title_starts(page.title)[:1], visible_text(page.heading) if page.heading else "")
    return any(message_of(text) is Message.CHALLENGE for text in texts)


def _judge_company(evidence: PageEvidence) -> PageVerdict | None:
    """Return `ok` if the page proves that it shows this company, `wrong_page` if it shows another; otherwise None."""
    payload = read_payloads(evidence.bodies, evidence.idno)
    known_name = payload.name if payload else None
    page = read_html(evidence.html, evidence.idno, known_name=known_name, look=evidence.look)
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
    if any(_is_malformed(body) for body in evidence.bodies) and Message.ERROR in _messages(
        evidence.page.root
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
    shown = _messages(page.heading) if page.heading else {}
    if not shown and len(visible_text(page.root)) <= _MAX_MESSAGE_LENGTH:
        shown = _messages(page.root)
    for message, text in shown.items():
        if outcome := _MESSAGES.get(message):
            return PageVerdict(outcome, f"the site says {text[:80]!r}")
    return None


def _messages(node: Node) -> dict[Message, str]:
    """Return the messages that are the whole text of an element or of a text in it, each with this text."""
    shown: dict[Message, str] = {}
    for inner in (node, *node.descendants()):
        if (inner.tag == TEXT or inner.is_block) and (message := message_of(inner.text)):
            shown.setdefault(message, inner.text)
    return shown
