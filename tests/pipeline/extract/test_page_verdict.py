"""Page verdicts: which outcome a page proves at one moment of a visit."""

import json
from html import escape
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.extract.browser.network_log import NetworkLog
from pipeline.extract.page_verdict import PageEvidence, judge, judge_at_deadline
from pipeline.transform.merge import transform
from standin import CASES, CaseName, company
from tests.long_version import examples
from warehouse.contract import Outcome

IDNO = CASES[CaseName.FOUND].idno
OTHER = CASES[CaseName.COMPANY_FOUNDERS].idno
FRAME = "main-frame"
PAGE = f"http://site/companies/{IDNO}"
DATA = f"http://api/api/companies/{IDNO}"
SHELL = "<html><body><app-root></app-root></body></html>"


def _event(method: str, **params: Any) -> dict[str, Any]:
    return {"method": f"Network.{method}", "params": params}


def _request(number: str, url: str, kind: str) -> dict[str, Any]:
    loader = number if kind == "Document" else "1"
    return _event(
        "requestWillBeSent", requestId=number, loaderId=loader, frameId=FRAME, type=kind, request={"url": url}
    )


def _response(number: str, url: str, status: int, **headers: str) -> dict[str, Any]:
    response = {"url": url, "status": status, "headers": headers, "mimeType": "application/json"}
    return _event("responseReceived", requestId=number, response=response)


def _network(
    *, document: int = 200, data: int | None = 200, headers: dict[str, str] | None = None
) -> NetworkLog:
    network = NetworkLog(FRAME)
    network.feed([_request("1", PAGE, "Document"), _response("1", PAGE, document, **headers or {})])
    network.feed([_event("loadingFinished", requestId="1"), _request("2", DATA, "XHR")])
    if data is not None:
        network.feed([_response("2", DATA, data), _event("loadingFinished", requestId="2")])
    return network


def _document(status: int) -> NetworkLog:
    """Return the log of a visit whose document was answered, and which requested no data."""
    network = NetworkLog(FRAME)
    network.feed([_request("1", PAGE, "Document"), _response("1", PAGE, status)])
    network.feed([_event("loadingFinished", requestId="1")])
    return network


def _page(name: str, idno: str) -> str:
    return f"<html><body><main><h1>{name}</h1><dl><dt>IDNO</dt><dd>{idno}</dd></dl></main></body></html>"


def _body(idno: str) -> bytes:
    return json.dumps(company(idno)).encode()


def _name(idno: str) -> str:
    return str(company(idno)["fullName"])


def _outcome(html: str, network: NetworkLog, *bodies: bytes) -> Outcome | None:
    verdict = judge(PageEvidence(IDNO, html, network, bodies))
    return verdict.outcome if verdict else None


def test_page_that_shows_the_company_is_ok_with_or_without_its_data() -> None:
    html = _page("VIORICA-TEST", IDNO)
    assert _outcome(html, _network(data=None)) is Outcome.OK
    assert _outcome(_page(_name(IDNO).replace("&", "&amp;"), IDNO), _network(), _body(IDNO)) is Outcome.OK


def test_page_without_an_idno_is_ok_if_its_data_proves_the_company() -> None:
    html = f"<html><body><main><h1>{_name(IDNO).replace('&', '&amp;')}</h1></main></body></html>"
    assert _outcome(html, _network(), _body(IDNO)) is Outcome.OK
    assert _outcome(html, _network()) is None


def test_empty_shell_is_undecided_and_a_timeout_at_the_deadline() -> None:
    evidence = PageEvidence(IDNO, SHELL, _network(data=None), ())
    assert judge(evidence) is None
    assert judge_at_deadline(evidence).outcome is Outcome.TIMEOUT


def test_data_without_a_rendered_page_proves_nothing() -> None:
    evidence = PageEvidence(IDNO, SHELL, _network(), [_body(IDNO)])
    assert judge(evidence) is None
    assert judge_at_deadline(evidence).outcome is Outcome.TIMEOUT


def test_heading_without_proof_is_incomplete_at_the_deadline() -> None:
    html = "<html><body><main><h1>CINEVA SRL</h1></main></body></html>"
    assert judge_at_deadline(PageEvidence(IDNO, html, _network(), ())).outcome is Outcome.INCOMPLETE


def test_page_of_another_company_is_the_wrong_page() -> None:
    assert _outcome(_page("ALTCINEVA", OTHER), _network()) is Outcome.WRONG_PAGE


def test_page_whose_data_has_another_name_is_the_wrong_page() -> None:
    assert _outcome(_page("CU TOTUL ALTCEVA", IDNO), _network(), _body(IDNO)) is Outcome.WRONG_PAGE


@pytest.mark.parametrize(
    "text", ["Eroare", "Error 500", "Ошибка", "Compania nu a fost găsită", "Компания не найдена"]
)
def test_error_text_in_place_of_the_name_is_never_ok(text: str) -> None:
    assert _outcome(_page(text, IDNO), _network()) is not Outcome.OK
    assert _outcome(_page(text, IDNO), _network(), _body(IDNO)) is not Outcome.OK


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(403, Outcome.BLOCKED), (429, Outcome.BLOCKED), (503, Outcome.SERVER_ERROR)],
)
def test_status_of_the_document_decides_with_certainty(status: int, outcome: Outcome) -> None:
    verdict = judge(PageEvidence(IDNO, SHELL, _network(document=status, data=None), ()))
    assert verdict is not None
    assert verdict.outcome is outcome
    assert verdict.certain


def test_status_404_of_the_document_is_uncertain_while_the_page_may_render_the_company() -> None:
    # A single-page application on a static host answers 404 for every path, and then renders the company.
    scripts = SHELL.replace("</body>", "<script src='main.js'></script></body>")
    network = _network(document=404, data=None)
    assert judge(PageEvidence(IDNO, SHELL, network, ())) is None
    assert judge(PageEvidence(IDNO, scripts, _document(404), ())) is None
    assert judge_at_deadline(PageEvidence(IDNO, SHELL, network, ())).outcome is Outcome.NOT_FOUND
    verdict = judge(PageEvidence(IDNO, "<h1>Not Found</h1>", _document(404), ()))
    assert verdict is not None
    assert (verdict.outcome, verdict.certain) == (Outcome.NOT_FOUND, False)


@pytest.mark.parametrize("status", [404, 410, 403, 500])
def test_status_of_the_document_does_not_refute_a_proven_company(status: int) -> None:
    assert _outcome(_page("VIORICA-TEST", IDNO), _network(document=status, data=None)) is Outcome.OK


def test_challenge_is_recognized_by_header_or_text_whatever_its_status() -> None:
    by_header = _network(data=None, headers={"cf-mitigated": "challenge"})
    assert _outcome(SHELL, by_header) is Outcome.BLOCKED
    html = "<html><head><title>Just a moment...</title></head><body>Checking</body></html>"
    assert _outcome(html, _document(200)) is Outcome.BLOCKED
    assert _outcome(html, _document(403)) is Outcome.BLOCKED


def test_title_of_a_page_that_awaits_its_data_is_no_challenge() -> None:
    html = "<html><head><title>JUST A MOMENT – OpenMoney</title></head><body>…</body></html>"
    assert _outcome(html, _network(data=None)) is None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, Outcome.SERVER_ERROR), (404, Outcome.NOT_FOUND), (403, Outcome.BLOCKED), (429, Outcome.BLOCKED)],
)
def test_status_of_the_data_request_decides_if_the_page_shows_no_company(
    status: int, outcome: Outcome
) -> None:
    assert _outcome(SHELL, _network(data=status)) is outcome
    assert _outcome(_page("VIORICA-TEST", IDNO), _network(data=status)) is Outcome.OK


def test_failure_is_not_judged_while_another_answer_is_pending() -> None:
    network = _network(data=500)
    network.feed([_request("3", DATA, "XHR")])
    assert _outcome(SHELL, network) is None


def test_frame_within_the_page_is_not_the_main_document() -> None:
    network = _network()
    network.feed(
        [
            _event(
                "requestWillBeSent",
                requestId="9",
                loaderId="9",
                frameId="an advertisement",
                type="Document",
                request={"url": "http://ads/"},
            ),
            _response("9", "http://ads/", 403),
        ]
    )
    assert network.document is not None
    assert network.document.status_code == 200


_HEADINGS = st.sampled_from(
    [
        _name(IDNO),
        _name(OTHER),
        "Eroare",
        "A apărut o eroare",
        "Compania nu a fost găsită",
        "Just a moment...",
        "404",
        "Se încarcă…",
        "503 Service Temporarily Unavailable",
        "Произошла ошибка",
        "",
    ]
)
_BODIES = st.lists(
    st.sampled_from([_body(IDNO), _body(OTHER), _body(IDNO)[:200], b"null", b"{}", b"[]", b"<html>"]),
    max_size=2,
)
_STATUSES = st.sampled_from([200, 200, 200, 301, 403, 404, 429, 500, 503])


@settings(max_examples=examples(60, long=1000), deadline=None)
@given(
    heading=_HEADINGS,
    shown=st.sampled_from([IDNO, OTHER, "", "1003600069774"]),
    beside=_HEADINGS,
    bodies=_BODIES,
    document=_STATUSES,
    data=_STATUSES | st.none(),
)
def test_generated_page_is_ok_only_with_facts_of_this_company(
    heading: str, shown: str, beside: str, bodies: list[bytes], document: int, data: int | None
) -> None:
    # Nothing contradicts a page that shows this IDNO with the name of another company.
    assume(not (heading == _name(OTHER) and shown == IDNO))
    html = (
        f"<html><body><main><h1>{escape(heading)}</h1><p>{escape(beside)}</p>"
        f"<dl><dt>IDNO</dt><dd>{shown}</dd></dl></main></body></html>"
    )
    network = _network(document=document, data=data)
    verdict = judge_at_deadline(PageEvidence(IDNO, html, network, bodies))

    if verdict.outcome is not Outcome.OK:
        assert verdict.reason
        return
    facts = transform(idno=IDNO, html=html, bodies=bodies).facts
    assert (facts.idno, facts.name) == (IDNO, _name(IDNO))
    truth = transform(idno=IDNO, html=_page(_name(IDNO), IDNO), bodies=[_body(IDNO)]).facts
    for field, value in facts:
        assert value in (None, (), getattr(truth, field)), field
