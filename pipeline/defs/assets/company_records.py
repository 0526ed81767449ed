"""The assets that contain the companies' records. One op reads each capture once and fills the tables of all assets."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetKey, AssetSpec, Failure, MaterializeResult, multi_asset

from pipeline.defs.ops import run_context
from pipeline.defs.ops.outage_retry import retried_on_outage
from pipeline.defs.ops.transform_summary import TransformSummary
from pipeline.defs.resources import RedisStores, Telemetry, Warehouse
from pipeline.defs.selection import TransformSelection
from pipeline.records.capture_store import StoredCapture, captures_of_companies, captures_of_runs, is_recorded
from pipeline.records.quarantine import Tolerance, TooManyRefused
from pipeline.records.record_updates import Transformation, TransformResult, update_record
from pipeline.records.retransform import retransform_stale
from pipeline.runs.run_metrics import count_transformations, report_settings
from pipeline.settings import pipeline_settings
from telemetry.tallies import Tallies
from warehouse.contract import SOURCE_DATA_ASSET, TRANSFORMED_DATA_ASSET
from warehouse.records.queries import load_record
from warehouse.records.record_cache import company_key

_DESCRIPTIONS = {
    TRANSFORMED_DATA_ASSET: "The current record of each company, read from its newest good capture without a visit:"
    " BeautifulSoup reads the HTML, a second parser the JSON. The record is also written to the cache.",
    "company_parties": "Founders with their shares, and administrators, of each company.",
    "company_activities": "The activities of each company, those that require a licence and those that do not.",
    "financial_statements": "The key figures of each company's financial statements by year. All rows of the statements"
    " are in the table financial_lines.",
    "company_changes": "The history: which field of a record changed, when, from which capture, and whether the source"
    " changed or only the parser read it differently.",
}


@multi_asset(
    name=TRANSFORMED_DATA_ASSET,
    specs=[
        AssetSpec(
            name,
            deps=[AssetKey(SOURCE_DATA_ASSET)],
            group_name="companies",
            kinds={"beautifulsoup", "postgres"},
            description=description,
            skippable=True,
        )
        for name, description in _DESCRIPTIONS.items()
    ],
    can_subset=True,
)
def records(
    context: AssetExecutionContext,
    config: TransformSelection,
    warehouse: Warehouse,
    redis: RedisStores,
    telemetry: Telemetry,
) -> Iterator[MaterializeResult]:  # type: ignore[type-arg]
    """Transform captures (of named companies, of stale records, or of this run) and fill all tables."""
    summary, tallies = TransformSummary(), Tallies(redis.state)
    report_settings(tallies, pipeline_settings())
    with retried_on_outage(context), telemetry.step("records"):
        for results in _transformations(context, config, warehouse, redis):
            summary.add(results)
            if not run_context.captures(
                context.run
            ):  # a run that visits companies has counted the transformation after each visit
                count_transformations(tallies, results)
            tallies.flush()
            if config.select:
                context.log.info("%s companies transformed", summary.companies)
    for key in context.selected_asset_keys:
        yield MaterializeResult(asset_key=key, metadata=summary.metadata())


def _transformations(
    context: AssetExecutionContext, config: TransformSelection, warehouse: Warehouse, redis: RedisStores
) -> Iterator[list[Transformation]]:
    if config.select:
        yield from _transform_stale(config, warehouse, redis)
        return
    captures = _captures(context, config, warehouse)
    for capture in captures:
        yield [_transform(capture, warehouse, redis)]
    captured = {capture.idno for capture in captures}
    missing = [idno for idno in config.idnos if idno not in captured]
    yield [Transformation(idno, 0, TransformResult.NO_GOOD_CAPTURE) for idno in missing]


def _transform_stale(
    config: TransformSelection, warehouse: Warehouse, redis: RedisStores
) -> Iterator[list[Transformation]]:
    settings = pipeline_settings()
    try:
        for results in retransform_stale(
            warehouse.transaction,
            settings.warehouse_url,
            cohort=config.cohort,
            processes=settings.transform_processes,
            tolerance=Tolerance(settings.quarantine_per_cent, settings.quarantine_at_least),
        ):
            transformed = [done for done in results if done.result is TransformResult.TRANSFORMED]
            if keys := [company_key(done.idno) for done in transformed]:
                redis.cache.unlink(*keys)  # the API caches a record again at the next request for it
            yield results
    except TooManyRefused as reason:
        raise Failure(str(reason), allow_retries=False) from reason


def _captures(
    context: AssetExecutionContext, config: TransformSelection, warehouse: Warehouse
) -> list[StoredCapture]:
    if not config.idnos and not run_context.captures(context.run):
        raise Failure(
            "idnos: 0 given, and this run captures nothing; name companies in the config of transformed_data, or set"
            " select: stale, or materialize source_data in the same run"
        )
    with warehouse.transaction() as connection:
        if config.idnos:
            return captures_of_companies(connection, config.idnos)
        return captures_of_runs(connection, run_context.run_group(context))


def _transform(capture: StoredCapture, warehouse: Warehouse, redis: RedisStores) -> Transformation:
    with warehouse.transaction() as connection:
        if is_recorded(connection, capture):  # the run has transformed this capture right after the visit
            record = load_record(connection, capture.idno)
            name = record.name if record else ""
            return Transformation(capture.idno, capture.source_data_id, TransformResult.TRANSFORMED, name)
    return update_record(warehouse.transaction, redis.cache, capture, fresh_seconds=redis.fresh_seconds)
