"""The score of the reader on one page: which facts are wrong, absent or not reported as unread."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline.extract.browser.network_log import NetworkLog
from pipeline.extract.page_verdict import PageEvidence, judge_at_deadline
from pipeline.transform.merge import Transformed, transform
from warehouse.contract import Outcome
from warehouse.folding import collapse, fold
from warehouse.records.models import CompanyFacts, Party

_FRAME = "main-frame"
_LISTS = ("founders", "administrators")
_ACTIVITIES = ("licensed_activities", "unlicensed_activities")
FETCHED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Score:
    """What came out for one page. `stated` counts the facts that the page states."""

    case: str
    outcome: str = ""
    stated: int = 0
    wrong: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    """Unread texts and truncated lists that the reading does not report."""

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong, absent or unreported."""
        return not (self.wrong or self.absent or self.unnamed)

    def problems(self) -> list[str]:
        """Return one line for each problem."""
        kinds = (("WRONG", self.wrong), ("absent", self.absent), ("not reported", self.unnamed))
        return [f"{mark}: {text}" for mark, texts in kinds for text in texts]


def score(case: Mapping[str, Any]) -> Score:
    """Judge and read the page of a case as a visit does; compare the result with what the case expects."""
    result = Score(case["id"])
    bodies = [json.dumps(body).encode() for body in case.get("json", {}).values()]
    html, look = case.get("rendered", case["html"]), case.get("look")
    evidence = PageEvidence(case["idno"], html, _network(case), bodies, look=look)
    verdict = judge_at_deadline(evidence)
    expected = case["expect"]
    result.outcome = str(verdict.outcome)
    wanted = expected["outcome"]
    is_right = verdict.outcome is not Outcome.OK if wanted == "no_record" else verdict.outcome == wanted
    result.stated = sum(1 for _ in _stated(expected.get("facts", {})))
    if not is_right:
        if verdict.outcome is Outcome.OK:
            result.wrong.append(f"outcome: ok, but {wanted}")
        elif wanted == "ok":
            result.absent += [
                f"{name} (the page was refused: {verdict})" for name in _stated(expected.get("facts", {}))
            ]
        else:
            result.wrong.append(f"outcome: {verdict.outcome}, but {wanted}")
        return result
    if verdict.outcome is Outcome.OK:
        done = transform(idno=case["idno"], html=html, bodies=bodies, look=look)
        _compare(result, expected, done)
    return result


def _stated(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield a name for each single fact that a case states."""
    for name, value in facts.items():
        if name in _LISTS:
            for party in value:
                yield f"{name}: {party['name']}"
        elif name in _ACTIVITIES:
            for activity in value:
                yield f"{name}: {activity}"
        elif name == "statements":
            for year, figures in value.items():
                for figure in figures:
                    yield f"{year} {figure}"
        else:
            yield name


def _compare(result: Score, expected: Mapping[str, Any], done: Transformed) -> None:
    facts = done.facts
    for name, value in expected.get("facts", {}).items():
        if name in _LISTS:
            _compare_parties(result, name, value, getattr(facts, name))
        elif name in _ACTIVITIES:
            _compare_names(result, name, value, [activity.name for activity in getattr(facts, name)])
        elif name == "statements":
            _compare_statements(result, value, facts)
        else:
            found = getattr(facts, name)
            if found is None:
                result.absent.append(f"{name}: {value!r}")
            elif _plain(found) != _plain(value):
                result.wrong.append(f"{name}: {str(found)!r}, but {value!r}")
    for name in expected.get("absent", ()):
        if name == "statements":
            _compare_statements(result, {}, facts)  # lines without a key figure are evidence, not facts
        elif name in CompanyFacts.model_fields and getattr(facts, name) not in (None, ()):
            result.wrong.append(f"{name}: {getattr(facts, name)!r}, but it must have no value")
    if expected.get("absent_active") and facts.status == "active":
        result.wrong.append("status: active, but the page says otherwise")
    unread = {item.field for item in done.unread}
    result.unnamed += [f"{name}: unread" for name in expected.get("unread", ()) if name not in unread]
    result.unnamed += [
        f"{name}: incomplete" for name in expected.get("incomplete_lists", ()) if name not in done.incomplete
    ]


def _compare_parties(
    result: Score, name: str, expected: Sequence[Mapping[str, Any]], found: Sequence[Party]
) -> None:
    by_name = {_plain(party.name): party for party in found}
    for want in expected:
        party = by_name.pop(_plain(want["name"]), None)
        if party is None:
            result.absent.append(f"{name}: {want['name']}")
            continue
        if "share" in want:
            _compare_share(result, f"{name}: {party.name}", want["share"], party.share)
        if "idno" in want and party.idno != want["idno"]:
            kind = result.absent if party.idno is None else result.wrong
            kind.append(f"{name}: {party.name}: idno {party.idno}, but {want['idno']}")
    result.wrong += [f"{name}: {party.name!r} ({party.share}) is not stated" for party in by_name.values()]


def _compare_share(result: Score, what: str, want: Any, share: Decimal | None) -> None:
    if share is None:
        if want is not None:
            result.absent.append(f"{what}: share {want}")
    elif want is None or abs(float(share) - float(want)) > 0.01:
        result.wrong.append(f"{what}: share {share}, but {want}")


def _compare_names(result: Score, name: str, expected: Sequence[str], found: Sequence[str]) -> None:
    rest = [_plain(text) for text in found]
    for want in expected:
        if _plain(want) in rest:
            rest.remove(_plain(want))
        else:
            result.absent.append(f"{name}: {want}")
    result.wrong += [f"{name}: {text!r} is not stated" for text in rest]


def _compare_statements(
    result: Score, expected: Mapping[str, Mapping[str, Any]], facts: CompanyFacts
) -> None:
    found = {statement.year: statement.figures() for statement in facts.statements}
    for year, figures in expected.items():
        for figure, want in figures.items():
            amount = found.get(int(year), {}).get(figure)
            if amount is None:
                result.absent.append(f"{year} {figure}: {want}")
            elif amount != Decimal(str(want)):
                result.wrong.append(f"{year} {figure}: {amount}, but {want}")
    for year_, amounts in found.items():
        for figure, amount in amounts.items():
            if figure not in expected.get(str(year_), {}):
                result.wrong.append(f"{year_} {figure}: {amount} is not stated")


def _plain(value: Any) -> str:
    return fold(collapse(str(value)))


def _network(case: Mapping[str, Any]) -> NetworkLog:
    """Return the log of a visit whose document and data were answered."""
    network = NetworkLog(_FRAME)
    page = f"https://site/companies/{case['idno']}"
    messages = [*_exchange("1", page, "Document", case["status"])]
    for number, (key, path) in enumerate((("company", "companies"), ("fin_data", "fin-data-v1")), 2):
        if key in case.get("json", {}):
            messages += _exchange(str(number), f"https://api/api/{path}/{case['idno']}", "XHR", 200)
    network.feed(messages)
    return network


def _exchange(number: str, url: str, kind: str, status: int) -> Iterator[Mapping[str, Any]]:
    def event(method: str, **params: Any) -> dict[str, Any]:
        return {"method": f"Network.{method}", "params": {"requestId": number, **params}}

    answer = {"url": url, "status": status, "headers": {}, "mimeType": "application/json"}
    yield event("requestWillBeSent", loaderId="1", frameId=_FRAME, type=kind, request={"url": url})
    yield event("responseReceived", response=answer)
    yield event("loadingFinished")
