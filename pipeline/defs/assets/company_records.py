"""The companies' records as assets: one operation reads each capture once and fills all their tables."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetKey, AssetSpec, Failure, MaterializeResult, multi_asset

from pipeline.defs.ops.outage_retry import retried_on_outage
from pipeline.defs.ops.run_context import captures_too, run_group
from pipeline.defs.ops.transform_summary import TransformSummary
from pipeline.defs.resources import RedisStores, Telemetry, Warehouse
from pipeline.defs.selection import TransformSelection
from pipeline.records.capture_store import StoredCapture, captures_of_companies, captures_of_runs, is_recorded
from pipeline.records.quarantine import Tolerance, TooManyRefused
from pipeline.records.record_updates import TRANSFORMED, Transformation, make_current
from pipeline.records.retransform import retransform_stale
from pipeline.runs.run_metrics import note_settings, note_transformations
from pipeline.settings import pipeline_settings
from telemetry.tallies import Tallies
from warehouse.contract import SOURCE_DATA_ASSET, TRANSFORMED_DATA_ASSET
from warehouse.records.queries import load_record
from warehouse.records.record_cache import company_key

_DESCRIPTIONS = {
    TRANSFORMED_DATA_ASSET: "One current record a company: read by BeautifulSoup, and from the JSON that the page"
    " fetched, out of the newest good capture, no visit needed. Written through to the cache.",
    "company_parties": "Founders, with their shares, and administrators of each company.",
    "company_activities": "The lines of business of each company, those that need a licence and those that do not.",
    "financial_statements": "The key figures of every year that a company filed; all rows are in financial_lines.",
    "company_changes": "What changed in the companies' records, when, from which capture, and whether the source"
    " changed (news) or our reading (none).",
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
    """Transform the captures of the named companies, of what is stale, or of this run; fill all tables at once."""
    tally, tallies = TransformSummary(), Tallies(redis.state)
    note_settings(tallies, pipeline_settings())
    with retried_on_outage(context), telemetry.step("records"):
        for results in _transformed(context, config, warehouse, redis):
            tally.add(results)
            if not captures_too(context.run):  # else they were counted when they were captured
                note_transformations(tallies, results)
            tallies.flush()
            if config.select:
                context.log.info("%s companies are done", tally.companies)
    for key in context.selected_asset_keys:
        yield MaterializeResult(asset_key=key, metadata=tally.metadata())


def _transformed(
    context: AssetExecutionContext, config: TransformSelection, warehouse: Warehouse, redis: RedisStores
) -> Iterator[list[Transformation]]:
    if config.select:
        yield from _stale(config, warehouse, redis)
        return
    captures = _captures(context, config, warehouse)
    for capture in captures:
        yield [_transform(capture, warehouse, redis)]
    captured = {capture.idno for capture in captures}
    yield [Transformation(idno, 0, "no good capture") for idno in config.idnos if idno not in captured]


def _stale(
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
            if done := [company_key(each.idno) for each in results if each.result == TRANSFORMED]:
                redis.cache.unlink(*done)  # the API takes them up again as they are asked for
            yield results
    except TooManyRefused as reason:
        raise Failure(str(reason), allow_retries=False) from reason


def _captures(
    context: AssetExecutionContext, config: TransformSelection, warehouse: Warehouse
) -> list[StoredCapture]:
    if not config.idnos and not captures_too(context.run):
        raise Failure(
            "idnos: none named, and this run captures nothing. Name companies in the config of"
            " transformed_data, or select: stale, or materialize source_data in the same run."
        )
    with warehouse.transaction() as connection:
        if config.idnos:
            return captures_of_companies(connection, config.idnos)
        return captures_of_runs(connection, run_group(context))


def _transform(capture: StoredCapture, warehouse: Warehouse, redis: RedisStores) -> Transformation:
    with warehouse.transaction() as connection:
        if is_recorded(connection, capture):  # made so when it was captured
            record = load_record(connection, capture.idno)
            name = record.name if record else ""
            return Transformation(capture.idno, capture.source_data_id, TRANSFORMED, name)
    return make_current(warehouse.transaction, redis.cache, capture, fresh_seconds=redis.fresh_seconds)
