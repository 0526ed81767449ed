"""What a visit proves. `ok` only if this IDNO's company is shown; when in doubt, anything but `ok`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.extract.browser.network_log import NetworkLog, NetworkRequest
from pipeline.transform.html.page_reader import is_error_text, read_html
from pipeline.transform.html.page_tree import PageTree, read_page, visible_text
from pipeline.transform.json.payloads import read_payloads
from pipeline.transform.merge import NotThisCompany, prove
from pipeline.transform.vocabulary.labels import CHALLENGE_TEXTS, ERROR_TEXTS, NOT_FOUND_TEXTS, says
from warehouse.contract import Outcome

_MESSAGE_LENGTH = 600  # a page with more text than this is no mere message


@dataclass(frozen=True)
class PageVerdict:
    """An outcome and its reason; `certain` if waiting longer cannot change it."""

    outcome: Outcome
    reason: str | None = None
    certain: bool = False
    limited: bool = False
    """Answered with 429: we came too often."""
    retry_after: str | None = None
    """The header of that name, as it came."""


@dataclass(frozen=True)
class PageEvidence:
    """What can be judged at one moment of a visit."""

    idno: str
    html: str
    network: NetworkLog
    bodies: Sequence[bytes]
    is_over: bool = False

    @cached_property
    def page(self) -> PageTree:
        """The page without its frame, parsed once."""
        return read_page(self.html)

    @property
    def is_waiting(self) -> bool:
        """Whether more may come that could change what failures mean."""
        return not self.is_over and self.network.awaits(self.idno)


def judge(seen: PageEvidence) -> PageVerdict | None:
    """Judge a page as it stands; None while it shows neither the company nor that there is none."""
    return _judge_document(seen) or _judge_company(seen) or _judge_answers(seen) or _judge_message(seen)


def judge_at_the_end(seen: PageEvidence) -> PageVerdict:
    """Judge a page that has shown nothing certain in the time it had."""
    verdict = judge(replace(seen, is_over=True))
    if verdict is not None:
        return verdict
    page = seen.page
    if page.heading is not None:
        return PageVerdict(
            Outcome.INCOMPLETE,
            f"a heading is shown, {visible_text(page.heading)[:80]!r}, but no proof of the company",
        )
    return PageVerdict(Outcome.TIMEOUT, "the page showed no company in the time it had")


def _judge_document(seen: PageEvidence) -> PageVerdict | None:
    document = seen.network.document
    if document is None:
        return None
    if document.failure is not None and document.status_code is None:
        return PageVerdict(Outcome.NETWORK_ERROR, document.failure, certain=True)
    if _is_challenge(document) or _shows_challenge(seen.page):
        return PageVerdict(Outcome.BLOCKED, f"a challenge, status {document.status_code}", certain=True)
    return _judge_status(document, "the document", certain=True)


def _judge_status(request: NetworkRequest, what: str, *, certain: bool) -> PageVerdict | None:
    status = request.status_code
    if status is None or status < 400:
        return None
    wait = request.headers.get("retry-after")
    reason = f"{what} was answered with status {status}" + (f", Retry-After {wait[:40]}" if wait else "")
    if status in (401, 403, 429) or _is_challenge(request):
        return PageVerdict(Outcome.BLOCKED, reason, certain, limited=status == 429, retry_after=wait)
    if status >= 500:
        return PageVerdict(Outcome.SERVER_ERROR, reason, certain, retry_after=wait)
    return PageVerdict(Outcome.NOT_FOUND, reason, certain) if status in (404, 410) else None


def _is_challenge(request: NetworkRequest) -> bool:
    return request.headers.get("cf-mitigated", "").lower() == "challenge"


def _shows_challenge(page: PageTree) -> bool:
    if says(page.title, CHALLENGE_TEXTS):
        return True
    text = visible_text(page.root)
    return (
        len(text) < _MESSAGE_LENGTH
        and page.heading is not None
        and says(visible_text(page.heading), CHALLENGE_TEXTS)
    )


def _judge_company(seen: PageEvidence) -> PageVerdict | None:
    """`ok` if the page proves to be this company's; `wrong_page` if it proves to be another's."""
    page, payload = read_html(seen.html, seen.idno), read_payloads(seen.bodies, seen.idno)
    if page.idno is not None and page.idno != seen.idno and page.name is not None:
        return PageVerdict(Outcome.WRONG_PAGE, f"the page shows the company {page.idno}")
    try:
        prove(seen.idno, page, payload)
    except NotThisCompany as doubt:
        if page.name is not None and payload is not None:
            return PageVerdict(Outcome.WRONG_PAGE, str(doubt))
        return None
    return PageVerdict(Outcome.OK)


def _judge_answers(seen: PageEvidence) -> PageVerdict | None:
    """Judge by the answer to the page's own request for this company, once none is under way."""
    asked = seen.network.answer_about(seen.idno)
    if asked is None or seen.is_waiting:
        return None
    if verdict := _judge_status(asked, asked.url, certain=False):
        return verdict
    if asked.failure:
        return PageVerdict(Outcome.NETWORK_ERROR, f"{asked.url}: {asked.failure}")
    if any(_is_broken(body) for body in seen.bodies) and says(visible_text(seen.page.root), ERROR_TEXTS):
        return PageVerdict(Outcome.SERVER_ERROR, "the page's data is no valid JSON")
    return None


def _is_broken(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return True
    return False


def _judge_message(seen: PageEvidence) -> PageVerdict | None:
    """Judge by what the site itself says in the place of a company."""
    if seen.is_waiting:
        return None
    page = seen.page
    heading = visible_text(page.heading) if page.heading else ""
    text = heading or visible_text(page.root)
    if len(text) > _MESSAGE_LENGTH:
        return None
    if says(text, NOT_FOUND_TEXTS):
        return PageVerdict(Outcome.NOT_FOUND, f"the site says {text[:80]!r}")
    if heading and is_error_text(heading):
        return PageVerdict(Outcome.SERVER_ERROR, f"the site says {text[:80]!r}")
    return None
