"""Settings that are reloaded while a process runs."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic

from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import AnySettings

logger = logging.getLogger(__name__)

MIN_RELOAD_SECONDS = 5.0
"""The shortest time between two reloads after refused credentials, because any client can cause such refusals."""


class ReloadableSettings(Generic[AnySettings]):
    """The settings that `read` returned last. Without `read`, they never change. Several threads may use it."""

    def __init__(self, settings: AnySettings, read: Callable[[], AnySettings] | None = None) -> None:
        self.settings = settings
        self._read, self._lock, self._read_at = read, threading.Lock(), time.monotonic()
        self._tried_at = self._read_at

    @property
    def age_seconds(self) -> float:
        """The seconds since the settings were last read."""
        return time.monotonic() - self._read_at

    def reload(self) -> bool:
        """Read the settings again and return whether they changed. If they are invalid, log this and keep the old."""
        return self._reload_if_older(0)

    def reload_after_refusal(self) -> bool:
        """Reload after refused credentials, at most every `MIN_RELOAD_SECONDS`. Return whether the settings changed."""
        return self._reload_if_older(MIN_RELOAD_SECONDS)

    def reload_if_due(self) -> bool:
        """Reload if `secrets_minutes` have passed. Return whether the settings changed."""
        if not self.is_reload_due:
            return False
        self._tried_at = time.monotonic()  # other threads use the old settings during the reload
        return self._reload_if_older(self.settings.secrets_minutes * 60)

    @property
    def is_reload_due(self) -> bool:
        """Whether `secrets_minutes` have passed since the last reload. A reload in progress counts, too."""
        seconds = self.settings.secrets_minutes * 60
        return 0 < seconds <= time.monotonic() - max(self._read_at, self._tried_at)

    def _reload_if_older(self, seconds: float) -> bool:
        with self._lock:
            if self._read is None or self.age_seconds < seconds:
                return False
            try:
                settings = self._read()
            except SettingsRefused as reason:
                logger.warning("the settings cannot be reloaded, the old ones stay in use: %s", reason)
                return False
            finally:
                self._read_at = time.monotonic()
            if settings == self.settings:
                return False
            self.settings = settings
        logger.info("the settings have changed and were reloaded")
        return True
