"""The asset `transformed_data`: a current record a company, read from its stored capture."""

from collections import Counter
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    Failure,
    MaterializeResult,
    asset,
)

from pipeline.companies import StoredCapture, captures_of_companies, captures_of_runs, is_current
from pipeline.current import TRANSFORMED, Transformation, make_current
from pipeline.ops.metadata import table
from pipeline.ops.outage import retried_on_outage
from pipeline.ops.runs import captures_too, run_group
from pipeline.resources import RedisStores, Warehouse
from pipeline.selection import TransformSelection
from pipeline.transform import TRANSFORM_VERSION
from warehouse.contract import SOURCE_DATA_ASSET
from warehouse.queries import load_record


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
    results += [Transformation(idno, 0, "no good capture") for idno in config.idnos if idno not in captured]
    return MaterializeResult(metadata=_metadata(results))


def _captures(
    context: AssetExecutionContext, config: TransformSelection, warehouse: Warehouse
) -> list[StoredCapture]:
    if not config.idnos and not captures_too(context.run):
        raise Failure(
            "idnos: none named, and this run captures nothing. Name companies in the config of"
            " transformed_data, or materialize source_data in the same run."
        )
    with warehouse.transaction() as connection:
        if config.idnos:
            return captures_of_companies(connection, config.idnos)
        return captures_of_runs(connection, run_group(context))


def _transform(capture: StoredCapture, warehouse: Warehouse, redis: RedisStores) -> Transformation:
    with warehouse.transaction() as connection:
        if is_current(connection, capture):  # made so when it was captured
            record = load_record(connection, capture.idno)
            name = record.name if record else ""
            return Transformation(capture.idno, capture.source_data_id, TRANSFORMED, name)
    return make_current(warehouse.transaction, redis.cache, capture, fresh_seconds=redis.fresh_seconds)


def _metadata(results: list[Transformation]) -> dict[str, Any]:
    counts = Counter(result.result for result in results)
    return {
        "companies": len(results),
        **{f"result/{result}": count for result, count in sorted(counts.items())},
        "transform_version": TRANSFORM_VERSION,
        "records": table(vars(result) for result in results),
    }
