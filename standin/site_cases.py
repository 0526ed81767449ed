"""The special cases of the stand-in site: companies with fixed IDNOs, each of which behaves in a special way."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from warehouse.contract import Outcome


class CaseName(StrEnum):
    """The names of the special cases."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    API_500 = "api_500"
    CHALLENGE = "challenge"
    DOCUMENT_503 = "document_503"
    RATE_LIMITED = "rate_limited"
    SLOW = "slow"
    NEVER_RENDERS = "never_renders"
    HOSTILE_TEXT = "hostile_text"
    SPARSE = "sparse"
    COMPANY_FOUNDERS = "company_founders"
    REDIRECT = "redirect"
    BROKEN_JSON = "broken_json"
    WRONG_COMPANY = "wrong_company"
    API_DROPPED = "api_dropped"
    SOFT_404_TEXT = "soft_404_text"
    LATE_FACTS = "late_facts"
    ERROR_H1 = "error_h1"
    FIN_500 = "fin_500"
    FLAKY = "flaky"


@dataclass(frozen=True)
class SiteCase:
    """A special company: its IDNO, the outcome that a visit should have, and why.

    If the data is embedded in the page, there is no API connection that the case API_DROPPED could drop. Its page then
    shows an error text.
    """

    name: CaseName
    idno: str
    outcome: Outcome
    why: str


# The registrar 999 in these IDNOs does not exist, so none of them can belong to a real company.
_ROWS = (
    SiteCase(CaseName.FOUND, "1020999000019", Outcome.OK, "an ordinary company"),
    SiteCase(
        CaseName.NOT_FOUND, "1020999000020", Outcome.NOT_FOUND, "the API answers 404; the h1 says 'not found'"
    ),
    SiteCase(
        CaseName.API_500, "1020999000031", Outcome.SERVER_ERROR, "the API answers 500; a text says 'error'"
    ),
    SiteCase(
        CaseName.CHALLENGE, "1020999000042", Outcome.BLOCKED, "the document is a bot challenge with 403"
    ),
    SiteCase(
        CaseName.DOCUMENT_503, "1020999000053", Outcome.SERVER_ERROR, "the document is 503 with Retry-After"
    ),
    SiteCase(CaseName.RATE_LIMITED, "1020999000064", Outcome.BLOCKED, "the document is 429 with Retry-After"),
    SiteCase(CaseName.SLOW, "1020999000075", Outcome.OK, "the API answers after 3 seconds"),
    SiteCase(
        CaseName.NEVER_RENDERS,
        "1020999000086",
        Outcome.TIMEOUT,
        "the API never answers; the page keeps loading",
    ),
    SiteCase(
        CaseName.HOSTILE_TEXT, "1020999000097", Outcome.OK, "name and address contain markup, labels, marks"
    ),
    SiteCase(CaseName.SPARSE, "1020999000101", Outcome.OK, "only the name and the IDNO are known"),
    SiteCase(
        CaseName.COMPANY_FOUNDERS, "1020999000112", Outcome.OK, "founded by companies, one of them foreign"
    ),
    SiteCase(CaseName.REDIRECT, "1020999000123", Outcome.OK, "302 to the page under /ro/"),
    SiteCase(
        CaseName.BROKEN_JSON, "1020999000134", Outcome.SERVER_ERROR, "the API answers 200 with truncated JSON"
    ),
    SiteCase(
        CaseName.WRONG_COMPANY, "1020999000145", Outcome.WRONG_PAGE, "the API answers with another company"
    ),
    SiteCase(CaseName.API_DROPPED, "1020999000156", Outcome.NETWORK_ERROR, "the API closes the connection"),
    SiteCase(CaseName.SOFT_404_TEXT, "1020999000167", Outcome.NOT_FOUND, "the API answers 200 with null"),
    SiteCase(CaseName.LATE_FACTS, "1020999000178", Outcome.OK, "the h1 appears first, the facts 0.4 s later"),
    SiteCase(
        CaseName.ERROR_H1, "1020999000189", Outcome.SERVER_ERROR, "the API answers 500; the h1 says 'error'"
    ),
    SiteCase(
        CaseName.FIN_500, "1020999000190", Outcome.OK, "only the request for statements fails, with 500"
    ),
    SiteCase(CaseName.FLAKY, "1020999000204", Outcome.OK, "the document of the first visits is 500"),
)

CASES: Mapping[CaseName, SiteCase] = {case.name: case for case in _ROWS}
_BY_IDNO = {case.idno: case.name for case in _ROWS}

# The company that the page of WRONG_COMPANY shows instead of the requested one.
OTHER_COMPANY_IDNO = "1020999000215"


def case_of(idno: str) -> CaseName | None:
    """Return the special case with an IDNO; None for any other company."""
    return _BY_IDNO.get(idno)
