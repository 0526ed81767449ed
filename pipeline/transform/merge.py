"""Two readings of one capture become the facts of one company.

The rule: the HTML is what a person was shown, the JSON is what the page was made from. Where both state a
fact and mean the same, the JSON's writing is taken (it is the more precise: whole shares, ids, no wrapping).
Where they contradict each other, the JSON's is taken and the disagreement recorded. Where one is silent,
the other speaks. On who the company is they must agree, or there are no facts.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.transform.html import read_html
from pipeline.transform.payloads import read_payloads
from pipeline.transform.reading import Reading
from pipeline.transform.text import bare, fold
from warehouse.records import CompanyFacts, Party

_WORD = re.compile(r"\w+")
_FIELDS = ("name", "legal_form", "status", "registered_on", "address", "founders", "administrators")


class NotThisCompany(ValueError):
    """The capture does not prove to be the page of this company; the message says what is missing."""


@dataclass(frozen=True)
class Transformed:
    """A company's facts, and where the readings disagreed: field → {html, json}."""

    facts: CompanyFacts
    disagreements: dict[str, Any]
    notes: tuple[str, ...] = ()


def transform(*, idno: str, html: str, bodies: list[bytes]) -> Transformed:
    """Read a capture of the company `idno`. Raises NotThisCompany if it is not proved to be its page."""
    page, payload = read_html(html, idno), read_payloads(bodies, idno)
    prove(idno, page, payload)
    return merge(idno, page, payload)


def prove(idno: str, page: Reading, payload: Reading | None) -> None:
    """Raise NotThisCompany unless the page, or the data it got, is this company's and both agree."""
    if page.idno is not None and page.idno != idno:
        raise NotThisCompany(f"the page shows the company {page.idno}")
    if page.name is None:
        raise NotThisCompany("the page shows no company's name")
    if payload is None:
        if page.idno is None:
            raise NotThisCompany("neither the page nor its data shows the IDNO")
    elif not _same_name(page.name, payload.name):
        raise NotThisCompany(f"the page shows {page.name!r}, its data is of {payload.name!r}")


def merge(idno: str, page: Reading, payload: Reading | None) -> Transformed:
    """Merge two readings that agree on the company, by the rule at the head of this module."""
    other = payload or Reading()
    taken = {field: _taken(getattr(page, field), getattr(other, field)) for field in _FIELDS}
    disagreements = {
        field: {"html": _plain(getattr(page, field)), "json": _plain(getattr(other, field))}
        for field in _FIELDS
        if _contradict(getattr(page, field), getattr(other, field))
    }
    return Transformed(CompanyFacts(idno=idno, **taken), disagreements, page.notes)


def _taken(html: Any, json: Any) -> Any:
    return html if json is None or json == () else json


def _same_name(html: str, json: str | None) -> bool:
    """A heading may add the legal form or quotes to the name; the one has to hold the other."""
    one, other = (f" {' '.join(_WORD.findall(fold(text)))} " for text in (html, json or ""))
    return not one.isspace() and not other.isspace() and (one in other or other in one)


def _contradict(html: Any, json: Any) -> bool:
    if html in (None, ()) or json in (None, ()):
        return False
    if isinstance(html, tuple):
        return sorted(map(_party_key, html)) != sorted(map(_party_key, json))
    if isinstance(html, date) or isinstance(json, date):
        return bool(html != json)
    return bare(str(html)) != bare(str(json))


def _party_key(party: Party) -> tuple[str, str]:
    share = "" if party.share is None else f"{party.share:.1f}"
    return bare(party.name), share


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [party.model_dump(mode="json", exclude_none=True) for party in value]
    return str(value)
