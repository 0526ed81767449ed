"""Builds the WARC records of a capture and the references between them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from warehouse.evidence.capture_evidence import PayloadEvidence, evidence_document, iso
from warehouse.evidence.read import VerifiedCapture
from warehouse.evidence.stored_json import canonical_json
from warehouse.evidence.warc_headers import Headers, headers_for_body, status_line

_NAMESPACE = uuid5(NAMESPACE_URL, "https://openmoney.md/registru/evidence")
HTML = "text/html; charset=utf-8"
PNG = "image/png"
_JSON = "application/json"
_HTTP_RESPONSE = "application/http; msgtype=response"
_UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class ResponseHead:
    """The status line and the headers of an HTTP response."""

    status: str
    headers: Headers


@dataclass(frozen=True)
class WarcRecord:
    """One WARC record: its id, its role in the capture, its kind (WARC-Type), its URL and its content.

    Only response records have a `response`. `is_stored` distinguishes an empty body from one that is not stored.
    """

    id: str
    role: str
    kind: str
    url: str
    content_type: str
    body: bytes
    response: ResponseHead | None = None
    is_stored: bool = True
    concurrent_to: str | None = None
    refers_to: str | None = None


def records_of(capture: VerifiedCapture) -> list[WarcRecord]:
    """Return a capture's records: responses, the rendered page with its look, the screenshot, and the metadata."""
    return list(_Records(capture).all())


class _Records:
    """The records of one capture. All other records refer to the metadata record, which always exists."""

    def __init__(self, capture: VerifiedCapture) -> None:
        self._capture, self._evidence = capture, capture.evidence
        self._url = capture.evidence.final_url or capture.evidence.url
        self._metadata = self._id("metadata")

    def all(self) -> Iterator[WarcRecord]:
        records = [*self._responses(), *self._rendered(), *self._look(), *self._screenshot()]
        yield from records
        yield self._metadata_record(records)

    def _id(self, role: str) -> str:
        # The id is derived from the capture, so that each export gives a record the same id.
        evidence = self._evidence
        capture = (
            evidence.capture_id
            or f"{evidence.idno}/{iso(evidence.fetched_at)}/{self._capture.source_data_id}"
        )
        return f"<urn:uuid:{uuid5(_NAMESPACE, f'{capture}/{role}')}>"

    def _body(self, sha256: str | None) -> bytes | None:
        if sha256 is None or sha256 in self._capture.removed:
            return None
        return self._capture.bodies[sha256]

    def _responses(self) -> Iterator[WarcRecord]:
        evidence = self._evidence
        for number, hop in enumerate(evidence.redirects or ()):
            yield self._response(
                f"redirect {number}", hop["url"], hop["status_code"], hop.get("response_headers"), None
            )
        document = self._body(evidence.document_sha256)
        if evidence.status_code is not None:
            yield self._response(
                "document", self._url, evidence.status_code, evidence.response_headers, document
            )
        elif document is not None:
            yield self._resource("document", self._url, document, _UNKNOWN_TYPE)
        for payload in evidence.payloads:
            yield from self._payload(payload)

    def _payload(self, payload: PayloadEvidence) -> Iterator[WarcRecord]:
        role, body = f"payload {payload.position}", self._body(payload.sha256)
        if payload.status_code is not None:
            yield self._response(role, payload.url, payload.status_code, payload.response_headers, body)
        elif body is not None:
            yield self._resource(role, payload.url, body, _UNKNOWN_TYPE)

    def _response(self, role: str, url: str, status: int, headers: Any, body: bytes | None) -> WarcRecord:
        return WarcRecord(
            id=self._id(role),
            role=role,
            kind="response",
            url=url,
            content_type=_HTTP_RESPONSE,
            body=body or b"",
            response=ResponseHead(status_line(status), headers_for_body(headers, body)),
            is_stored=body is not None,
            concurrent_to=self._metadata,
        )

    def _resource(self, role: str, url: str, body: bytes, content_type: str) -> WarcRecord:
        return WarcRecord(
            id=self._id(role),
            role=role,
            kind="resource",
            url=url,
            content_type=content_type,
            body=body,
            concurrent_to=self._metadata,
        )

    def _rendered(self) -> Iterator[WarcRecord]:
        """Yield the record of the rendered page: a conversion of the document, if the server returned a document."""
        body = self._body(self._evidence.raw_html_sha256)
        if body is None:
            return
        rendered = self._resource("rendered", self._url, body, HTML)
        if self._evidence.status_code is None:
            yield rendered
        else:
            document = self._id("document")
            yield replace(rendered, kind="conversion", concurrent_to=None, refers_to=document)

    def _look(self) -> Iterator[WarcRecord]:
        body = self._body(self._evidence.look_sha256)
        if body is not None:
            yield self._resource("look", f"urn:look:{self._url}", body, _JSON)

    def _screenshot(self) -> Iterator[WarcRecord]:
        body = self._body(self._evidence.screenshot_sha256)
        if body is not None:
            # Web archives use this URN for a screenshot of a page.
            yield self._resource("screenshot", f"urn:view:{self._url}", body, PNG)

    def _metadata_record(self, others: list[WarcRecord]) -> WarcRecord:
        document = {
            "source_data_id": self._capture.source_data_id,
            "evidence_sha256": self._capture.sha256,
            "evidence": evidence_document(self._evidence),
            "records": {record.role: record.id for record in others},
            **({"removed_bodies": dict(self._capture.removed)} if self._capture.removed else {}),
        }
        return WarcRecord(
            id=self._metadata,
            role="metadata",
            kind="metadata",
            url=self._url,
            content_type=_JSON,
            body=canonical_json(document),
            concurrent_to=next((record.id for record in others if record.response is not None), None),
        )
