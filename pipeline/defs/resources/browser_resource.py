"""The browser as a Dagster resource: creates the crawl that visits companies' pages."""

from collections.abc import Callable
from datetime import timedelta

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr
from redis import Redis

from pipeline.extract.claims import Claims
from pipeline.extract.crawl import Crawl
from pipeline.extract.site_throttle import SiteThrottle
from pipeline.settings import PipelineSettings, pipeline_settings
from telemetry.tallies import Tallies
from warehouse.contract import RunKind

_CLAIM_MARGIN = timedelta(seconds=60)
"""A claim lasts this much longer than the longest visit."""


class Browser(ConfigurableResource):  # type: ignore[type-arg]
    """Visits companies' pages (settings: site_*, tabs, visit_*, retry_*, breaker_*, browser_*, chrome_*, work_dir)."""

    _settings: PipelineSettings = PrivateAttr()

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Read the settings. Chrome starts with the first visit and ends with the crawl."""
        self._settings = pipeline_settings()

    @property
    def settings(self) -> PipelineSettings:
        """The settings of the run."""
        return self._settings

    def crawl(
        self,
        state: Redis,
        tallies: Tallies,
        *,
        run_id: str,
        kind: RunKind,
        has_ended: Callable[[str], bool],
        find_new_capture: Callable[[str], int | None],
        check_run_active: Callable[[], None],
    ) -> Crawl:
        """Return a run's crawl. All runs share the throttle and the claims in `state`.

        Args:
            state: The client of Redis's state database.
            tallies: The run's metrics.
            run_id: The run that the crawl belongs to.
            kind: The kind of the run. A single request may borrow a running browser; bulk work starts its own.
            has_ended: Takes the id of a run and returns whether that run has ended. If it has, this run may take over
                the claims of that run.
            find_new_capture: See `Crawl`.
            check_run_active: See `Crawl`.
        """
        longest = timedelta(seconds=self._settings.visit_timeout_seconds) + _CLAIM_MARGIN
        return Crawl(
            self._settings,
            SiteThrottle(state, self._settings, kind=kind),
            Claims(state, run_id=run_id, ttl=longest, has_ended=has_ended),
            tallies,
            run_id=run_id,
            find_new_capture=find_new_capture,
            check_run_active=check_run_active,
            may_borrow=kind is RunKind.PERSON,
        )
