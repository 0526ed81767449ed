"""The API's answers for an IDNO. The API sends them, or the page origin embeds them in the page."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stdnum.md import idno as stdnum_idno

from standin.filed_statements import fin_data
from standin.made_up_companies import company
from standin.site_cases import OTHER_COMPANY_IDNO, CaseName
from standin.site_faults import case_at, is_half_rendered

SLOW_SECONDS = 3.0


class Delivery(StrEnum):
    """How an answer is delivered."""

    PROMPT = "prompt"
    LATE = "late"
    NEVER = "never"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Answer:
    """One API answer. If its delivery is NEVER or DROPPED, status and text are not used."""

    status: int
    text: str
    delivery: Delivery = Delivery.PROMPT


def answers_for(idno: str, *, visit: int, faults: bool) -> dict[str, Answer]:
    """Return the answers to all API paths that a company's page fetches. `visit` is the number of the visit, from 1."""
    return {
        f"/api/companies/{idno}": company_answer(idno, visit=visit, faults=faults),
        f"/api/fin-data-v1/{idno}": fin_data_answer(idno, visit=visit, faults=faults),
    }


def company_answer(idno: str, *, visit: int = 1, faults: bool = False) -> Answer:
    """Return the answer of `/api/companies/{idno}`."""
    if not stdnum_idno.is_valid(idno):
        return _not_found()
    if is_half_rendered(idno, faults=faults):
        return _json({"fullName": company(idno)["fullName"]})
    match case_at(idno, visit, faults=faults):
        case CaseName.NOT_FOUND:
            return _not_found()
        case CaseName.API_500:
            return _json({"message": "Internal Server Error"}, status=500)
        case CaseName.ERROR_H1:
            # "display" makes the page's script show an error text in the h1.
            return _json({"message": "Internal Server Error", "display": "heading"}, status=500)
        case CaseName.SOFT_404_TEXT:
            return Answer(200, "null")
        case CaseName.WRONG_COMPANY:
            return _json(company(OTHER_COMPANY_IDNO))
        case CaseName.SLOW:
            return Answer(200, _json(company(idno)).text, Delivery.LATE)
        case CaseName.NEVER_RENDERS:
            return Answer(0, "", Delivery.NEVER)
        case CaseName.API_DROPPED:
            return Answer(0, "", Delivery.DROPPED)
        case CaseName.BROKEN_JSON:
            whole = _json(company(idno)).text
            return Answer(200, whole[: len(whole) // 2])
    return _json(company(idno))


def fin_data_answer(idno: str, *, visit: int = 1, faults: bool = False) -> Answer:
    """Return the answer of `/api/fin-data-v1/{idno}`."""
    case = case_at(idno, visit, faults=faults)
    if not stdnum_idno.is_valid(idno) or case is CaseName.NOT_FOUND:
        return _not_found()
    if case is CaseName.FIN_500:
        return _json({"message": "Internal Server Error"}, status=500)
    return _json(fin_data(idno))


def _not_found() -> Answer:
    return _json({"message": "Not Found"}, status=404)


def _json(body: Any, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")))
