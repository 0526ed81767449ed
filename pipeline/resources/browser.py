"""The browser as a resource: one Chrome a run, started with the first visit, replaced when it dies."""

from contextlib import ExitStack

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr
from redis import Redis
from selenium.webdriver import Chrome

from pipeline.extract.browser import BrowserNotStarted, chrome
from pipeline.extract.capture import Capture
from pipeline.extract.manners import Manners
from pipeline.extract.visit import not_visited, visit
from pipeline.settings import PipelineSettings, pipeline_settings
from warehouse.contract import Outcome


class Browser(ConfigurableResource):  # type: ignore[type-arg]
    """Visits companies' pages (settings: site_url, site_rate, visit_timeout_seconds, chrome_*, work_dir)."""

    _settings: PipelineSettings = PrivateAttr()
    _stack: ExitStack = PrivateAttr()
    _driver: Chrome | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Read the settings; Chrome starts with the first visit."""
        self._settings, self._stack, self._driver = pipeline_settings(), ExitStack(), None

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """End Chrome with all its processes."""
        self._stack.close()

    @property
    def settings(self) -> PipelineSettings:
        """The run's settings."""
        return self._settings

    def capture(self, idno: str, redis: Redis) -> Capture:
        """Visit the page of a company when its turn has come."""
        settings, url = self._settings, self.page_url(idno)
        try:
            driver = self._driver or self._start()
        except BrowserNotStarted as error:
            return not_visited(url, idno, reason=str(error))
        Manners(redis, site_url=settings.site_url, visits_per_second=settings.site_rate).wait_turn()
        capture = visit(driver, url, idno, timeout_seconds=settings.visit_timeout_seconds)
        if capture.outcome in (Outcome.BROWSER_ERROR, Outcome.TIMEOUT):
            self._discard()  # a renderer that hung or died serves no further page
        return capture

    def page_url(self, idno: str) -> str:
        """The address of a company's page."""
        return f"{self._settings.site_url.rstrip('/')}/companies/{idno}"

    def _start(self) -> Chrome:
        try:
            self._driver = self._stack.enter_context(chrome(self._settings))
        except BrowserNotStarted:  # once more: a machine under load may have been too slow
            self._driver = self._stack.enter_context(chrome(self._settings))
        return self._driver

    def _discard(self) -> None:
        self._stack.close()
        self._driver = None
