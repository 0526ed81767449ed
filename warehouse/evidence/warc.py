"""Writes a WARC 1.1 file with separately compressed records, and collects the lines of its index."""

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import BinaryIO
from urllib.parse import quote

from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import WARCWriter

from warehouse.evidence import cdxj
from warehouse.evidence.warc_records import WarcRecord

_KEPT_IN_URLS = "%/:=&?~#+!$,;'@()*[]"


class _HexDigester(Digester):  # type: ignore[misc]  # warcio has no types
    """A digest in hexadecimal, like those in the database. So a record's digest equals the stored hash of its body."""

    def __str__(self) -> str:
        return f"{self.type_}:{self.digester.hexdigest()}"


class _Writer(WARCWriter):  # type: ignore[misc]
    @staticmethod
    def _create_digester() -> _HexDigester:
        return _HexDigester("sha256")


class WarcFile:
    """A WARC file that is being written to `file`.

    The first record (warcinfo) contains `about`. The lines of the index refer to the file as `name`.
    """

    def __init__(self, file: BinaryIO, *, name: str, about: Mapping[str, str]) -> None:
        self._file, self._name = file, name
        self._writer = _Writer(file, gzip=True, warc_version="1.1")
        self.records = 0
        self.index: list[str] = []
        warcinfo = self._writer.create_warcinfo_record(name, about)
        self._id = warcinfo.rec_headers.get_header("WARC-Record-ID")
        self._write(warcinfo)

    def add(self, record: WarcRecord, moment: datetime) -> None:
        """Write a record of content that was fetched at `moment`, and add its line to the index."""
        written = self._writer.create_warc_record(
            _as_uri(record.url),
            record.kind,
            payload=BytesIO(record.body),
            length=len(record.body),
            warc_content_type=record.content_type,
            warc_headers_dict=self._headers(record, moment),
            http_headers=_http_headers(record),
        )
        offset, length = self._write(written)
        fields = {
            "type": record.kind,
            "mime": _media_type(record),
            **({"status": record.response.status.split()[0]} if record.response else {}),
            "digest": written.rec_headers.get_header("WARC-Payload-Digest"),
            "length": str(length),
            "offset": str(offset),
            "filename": self._name,
        }
        self.index.append(cdxj.line(_as_uri(record.url), moment, fields))

    def _headers(self, record: WarcRecord, moment: datetime) -> dict[str, str]:
        references = {
            "WARC-Record-ID": record.id,
            "WARC-Date": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "WARC-Warcinfo-ID": self._id,
            "WARC-Concurrent-To": record.concurrent_to,
            "WARC-Refers-To": record.refers_to,
            "WARC-Truncated": None if record.is_stored else "unspecified",
        }
        return {name: value for name, value in references.items() if value is not None}

    def _write(self, record: object) -> tuple[int, int]:
        offset = self._file.tell()
        self._writer.write_record(record)
        self.records += 1
        return offset, self._file.tell() - offset


def _http_headers(record: WarcRecord) -> StatusAndHeaders | None:
    if record.response is None:
        return None
    return StatusAndHeaders(record.response.status, record.response.headers, protocol="HTTP/1.1")


def _media_type(record: WarcRecord) -> str:
    content_type = record.content_type
    if record.response is not None:
        content_type = next(
            (value for name, value in record.response.headers if name.lower() == "content-type"), ""
        )
    return content_type.partition(";")[0].strip().lower() or "unk"


def _as_uri(url: str) -> str:
    return quote(url, safe=_KEPT_IN_URLS)
