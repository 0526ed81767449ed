"""The op of `sweep_register`: reads a list of companies page by page and stores them in `tracked_companies`."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Self

from dagster import AssetMaterialization, Config, Failure, Nothing, OpExecutionContext, Out, op
from pydantic import Field, field_validator, model_validator

from pipeline.defs.assets.tracked_companies import tracked_companies
from pipeline.defs.ops import run_context
from pipeline.defs.ops.outage_retry import retried_on_outage
from pipeline.defs.ops.sweep_summary import SweepSummary
from pipeline.defs.resources import RedisStores, Warehouse
from pipeline.extract.direct_client import DisallowedByRobots, FetchFailed, SitePaused, direct_client
from pipeline.extract.site_throttle import SiteThrottle
from pipeline.records.capture_store import store_body
from pipeline.register.address import ApiAddressUnknown, list_url
from pipeline.register.list_api import PAGE_SIZE, NotAListPage, walk_list
from pipeline.register.listing import SweepPage
from pipeline.register.sweeps import Sweep, SweepConflict, open_sweep, store_page
from pipeline.register.workbook import UnreadableRegister, file_source, walk_workbook
from pipeline.settings import pipeline_settings
from warehouse.contract import RunKind

_SWEEP_ERRORS = (
    ApiAddressUnknown,
    DisallowedByRobots,
    FetchFailed,
    NotAListPage,
    UnreadableRegister,
    SweepConflict,
)
"""Errors that stop a sweep before the end of its list. The next run continues at the first page not yet stored."""


class ListSource(StrEnum):
    """Where the list of companies comes from."""

    SITE = "site"
    FILE = "file"


class RegisterSweep(Config):
    """Which list to walk through, and how far."""

    source: str = Field(
        default=ListSource.SITE.value,
        description="site: the site's own list; file: the bulk register of dataset.gov.md, as an XLSX file in path",
    )
    path: str | None = Field(
        default=None, description="Path of the XLSX file, on the machine that executes the run"
    )
    page_size: int = Field(
        default=PAGE_SIZE, ge=1, le=PAGE_SIZE, description="Companies per page; applies only to a new sweep"
    )
    max_pages: int | None = Field(
        default=None,
        ge=1,
        description="Stop the run after this number of pages; the next run continues the sweep",
    )
    restart: bool = Field(
        default=False, description="Start a new sweep even if an unfinished one could continue"
    )

    @field_validator("source")
    @classmethod
    def _is_known(cls, source: str) -> str:
        if source not in set(ListSource):
            raise ValueError(f"source: {source!r} given, {' or '.join(ListSource)} are allowed")
        return source

    @model_validator(mode="after")
    def _has_a_path_for_a_file(self) -> Self:
        if (self.source == ListSource.FILE) != (self.path is not None):
            raise ValueError(
                f"path: {self.path!r} given with source {self.source!r}; path is required with source 'file' and"
                " only allowed with it"
            )
        return self


@op(
    out=Out(Nothing),
    description="Walks through the site's list of companies, or the bulk register, and stores the companies in"
    " tracked_companies, one page in each transaction. Continues where the last sweep of the same list stopped.",
)
def walk_register(
    context: OpExecutionContext, config: RegisterSweep, warehouse: Warehouse, redis: RedisStores
) -> None:
    """Walk through the list. Report what was stored, even if an error or a pause stopped the walk before its end."""
    summary, failure = SweepSummary(), None
    with retried_on_outage(context):
        try:
            _sweep(context, config, warehouse, redis, summary)
        except SitePaused as paused:
            summary.pause(paused)
            context.log.warning(f"{paused}; the next run continues from page {summary.next_page}")
        except _SWEEP_ERRORS as reason:
            failure = _failure(reason, warehouse)
    if summary.sweep is not None:
        context.log_event(AssetMaterialization(tracked_companies.key, metadata=summary.metadata()))
    if failure is not None:
        raise failure


def _sweep(
    context: OpExecutionContext,
    config: RegisterSweep,
    warehouse: Warehouse,
    redis: RedisStores,
    summary: SweepSummary,
) -> None:
    check_run_active = run_context.active_run_check(context)
    sweep = _open(config, warehouse, is_first_try=context.retry_number == 0)
    context.log.info(f"sweep {sweep.id} of {sweep.source}, from page {sweep.next_page}")
    summary.begin(sweep)
    with _pages(config, sweep, redis) as pages:
        for page in islice(pages, config.max_pages):
            check_run_active()
            with warehouse.transaction() as connection:
                stored = store_page(
                    connection, sweep, page, expected_page=summary.next_page, run_id=context.run_id
                )
            context.log.info(summary.add(page, stored))
    if warning := summary.warning():
        context.log.warning(warning)


def _open(config: RegisterSweep, warehouse: Warehouse, *, is_first_try: bool) -> Sweep:
    settings = pipeline_settings()
    with warehouse.transaction() as connection:
        source = (
            file_source(Path(config.path))
            if config.path is not None
            else list_url(connection, site_url=settings.site_url, api_url=settings.api_url)
        )
        # Only the first try of this step may start the sweep anew. A retry continues the sweep of the first try.
        return open_sweep(
            connection, source, page_size=config.page_size, restart=config.restart and is_first_try
        )


@contextmanager
def _pages(config: RegisterSweep, sweep: Sweep, redis: RedisStores) -> Iterator[Iterator[SweepPage]]:
    if config.path is not None:
        yield walk_workbook(Path(config.path), page=sweep.next_page, size=sweep.page_size)
        return
    settings = pipeline_settings()
    with direct_client(settings, SiteThrottle(redis.state, settings, kind=RunKind.BULK)) as http:
        yield walk_list(http, sweep.source, page=sweep.next_page, size=sweep.page_size)


def _failure(reason: Exception, warehouse: Warehouse) -> Failure:
    """Return the failure for Dagster. If the site's answer was not a page of the list, store the answer.

    The stored answer lets people find out what the site sent.
    """
    metadata = {}
    if isinstance(reason, NotAListPage):
        with warehouse.transaction() as connection:
            metadata["body_sha256"] = store_body(
                connection, reason.received.content, reason.received.content_type
            )
    return Failure(str(reason), metadata=metadata, allow_retries=False)
