"""What the API answers for an IDNO: the same whether it is asked or its answer is embedded in the page."""

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
    """How an answer travels."""

    PROMPT = "prompt"
    LATE = "late"
    NEVER = "never"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Answer:
    """One API answer; status and text mean nothing where it never arrives."""

    status: int
    text: str
    delivery: Delivery = Delivery.PROMPT


def answers_for(idno: str, *, visit: int, faults: bool) -> dict[str, Answer]:
    """Each API path that a company's page asks, with its answer at a visit."""
    return {
        f"/api/companies/{idno}": company_answer(idno, visit=visit, faults=faults),
        f"/api/fin-data-v1/{idno}": fin_data_answer(idno, visit=visit, faults=faults),
    }


def company_answer(idno: str, *, visit: int = 1, faults: bool = False) -> Answer:
    """The answer of `/api/companies/{idno}`."""
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
            # "display" is what makes our page put its error text into the h1.
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
    """The answer of `/api/fin-data-v1/{idno}`."""
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
