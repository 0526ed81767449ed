"""The API returns what the pipeline wrote: now, as of a time, as changes, with provenance, and in a search."""

from datetime import UTC, datetime

import httpx
import pytest

from standin.filed_statements import fin_data
from standin.site_facts import make_idno
from tests.api.api_harness import ApiHarness
from tests.pipeline.records.records_harness import RecordsHarness as Pipeline

pytestmark = pytest.mark.anyio

IDNO = make_idno(8700)


async def test_api_returns_current_and_past_records_of_the_pipeline(
    harness: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(harness.databases, monkeypatch)
    pipeline.put(IDNO, statements=fin_data(IDNO), changes={"fullName": "LENTILE Grup"})
    pipeline.transform(IDNO)
    async with harness.signed_in() as http:

        async def get(path: str = "", **params: str) -> dict[str, object]:
            answer = await http.get(f"/companies/{IDNO}/{path}", params=params)
            assert answer.status_code == httpx.codes.OK, answer.text
            body: dict[str, object] = answer.json()
            return body

        first, between = await get(), datetime.now(UTC)
        capture_id = pipeline.put(IDNO, statements=[], changes={"fullName": "LENTILE Nord"})
        pipeline.transform(IDNO)
        second = await get()
        then = await get(as_of=between.isoformat())
        now = await get(as_of=datetime.now(UTC).isoformat())

        excluded = ("source", "as_of")
        assert first["name"] != second["name"]
        assert first["statements"] and not second["statements"]
        assert {**then, **dict.fromkeys(excluded)} == {**first, **dict.fromkeys(excluded)}
        assert {**now, **dict.fromkeys(excluded)} == {**second, **dict.fromkeys(excluded)}
        changed = (await get("changes/", cause="source"))["changes"]
        assert isinstance(changed, list)
        assert "name" in {change["field"] for change in changed}
        provenance = await get("provenance/")
        fields = provenance["fields"]
        assert isinstance(fields, dict)
        assert fields["name"]["source_data_id"] == capture_id
        assert fields["name"]["raw"] == "LENTILE Nord"
        [company] = (await http.get("/companies/", params={"name": "nord lent"})).json()
        assert company["idno"] == IDNO
