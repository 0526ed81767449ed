"""The asset `transformed_data`: a current record a company, read from its stored capture."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    Failure,
    MaterializeResult,
    asset,
)
from sqlalchemy.exc import DataError

from pipeline.companies import (
    EvidenceDamaged,
    StoredCapture,
    captures_of_companies,
    captures_of_runs,
    store_company,
    transform_capture,
)
from pipeline.ops.metadata import table
from pipeline.ops.outage import retried_on_outage
from pipeline.resources import RedisStores, Warehouse
from pipeline.selection import TransformSelection
from pipeline.transform import TRANSFORM_VERSION
from pipeline.transform.merge import NotThisCompany
from warehouse.contract import SOURCE_DATA_ASSET, company_key
from warehouse.queries import load_record


@dataclass(frozen=True)
class _Result:
    idno: str
    source_data_id: int
    result: str
    name: str = ""
    note: str = ""


@asset(
    deps=[AssetKey(SOURCE_DATA_ASSET)],
    group_name="companies",
    kinds={"beautifulsoup", "postgres"},
    description="One current record a company, with its founders and administrators: read by BeautifulSoup "
    "from the newest good capture, no visit needed. Written through to the cache.",
)
def transformed_data(
    context: AssetExecutionContext, config: TransformSelection, warehouse: Warehouse, redis: RedisStores
) -> MaterializeResult:  # type: ignore[type-arg]
    """Transform the captures of the named companies, or of this run."""
    with retried_on_outage(context):
        captures = _captures(context, config, warehouse)
        results = [_transform(capture, warehouse, redis) for capture in captures]
    captured = {capture.idno for capture in captures}
    results += [_Result(idno, 0, "no good capture") for idno in config.idnos if idno not in captured]
    return MaterializeResult(metadata=_metadata(results))


def _captures(
    context: AssetExecutionContext, config: TransformSelection, warehouse: Warehouse
) -> list[StoredCapture]:
    if not config.idnos and not _visits_here(context):
        raise Failure(
            "idnos: none named, and this run captures nothing. Name companies in the config of"
            " transformed_data, or materialize source_data in the same run."
        )
    with warehouse.transaction() as connection:
        if config.idnos:
            return captures_of_companies(connection, config.idnos)
        return captures_of_runs(connection, _run_ids(context))


def _run_ids(context: AssetExecutionContext) -> list[str]:
    """This run, and those it was tried again from: a re-execution skips what has been captured."""
    run = context.run
    if run.root_run_id is None:
        return [run.run_id]
    group = context.instance.get_run_group(run.run_id)
    return [member.run_id for member in group[1]] if group else [run.run_id]


def _visits_here(context: AssetExecutionContext) -> bool:
    """Tell whether this run materializes source_data too. (A job's own run has no selection: it does.)"""
    selection = context.run.asset_selection
    return selection is None or AssetKey(SOURCE_DATA_ASSET) in selection


def _transform(capture: StoredCapture, warehouse: Warehouse, redis: RedisStores) -> _Result:
    try:
        with warehouse.transaction() as connection:
            transformed = transform_capture(connection, capture)
            stored = store_company(connection, capture, transformed)
            record = load_record(connection, capture.idno)
    except (NotThisCompany, EvidenceDamaged) as reason:
        return _Result(capture.idno, capture.source_data_id, "not transformed", note=str(reason))
    except (ValueError, RecursionError, DataError) as error:  # a page the parser was not ready for
        note = f"{type(error).__name__}: {error}"[:300]
        return _Result(capture.idno, capture.source_data_id, "not transformed", note=note)
    if record is not None:
        redis.cache.set(company_key(capture.idno), record.model_dump_json(), ex=redis.fresh_seconds)
    notes = [*transformed.notes, *(f"readings disagree on {field}" for field in transformed.disagreements)]
    return _Result(
        capture.idno,
        capture.source_data_id,
        "transformed" if stored else "a newer capture is current",
        transformed.facts.name,
        "; ".join(notes),
    )


def _metadata(results: list[_Result]) -> dict[str, Any]:
    counts = Counter(result.result for result in results)
    return {
        "companies": len(results),
        **{f"result/{result}": count for result, count in sorted(counts.items())},
        "transform_version": TRANSFORM_VERSION,
        "records": table(vars(result) for result in results),
    }
