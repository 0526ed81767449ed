"""Settings that are read again while a process runs."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic

from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import AnySettings

logger = logging.getLogger(__name__)

SOON_SECONDS = 5.0
"""When something is refused, what was read longer ago is read again: not sooner, since anyone can be refused."""


class ReloadableSettings(Generic[AnySettings]):
    """The settings as they were read last. Without `read` they stay as they are. For several threads."""

    def __init__(self, settings: AnySettings, read: Callable[[], AnySettings] | None = None) -> None:
        self.settings = settings
        self._read, self._lock, self._read_at = read, threading.Lock(), time.monotonic()
        self._tried_at = self._read_at

    @property
    def seconds_old(self) -> float:
        """How long ago they were read."""
        return time.monotonic() - self._read_at

    def reread(self) -> bool:
        """Read them again; return whether they changed. What cannot be used is logged, and those from before stay."""
        return self._reread_if_older(0)

    def reread_soon(self) -> bool:
        """Read them again, because something was refused, unless that was just done; return whether they changed."""
        return self._reread_if_older(SOON_SECONDS)

    def reread_if_due(self) -> bool:
        """Read them again if `secrets_minutes` have passed; return whether they changed."""
        if not self.is_due:
            return False
        self._tried_at = time.monotonic()  # others go on with what is held, however long this takes
        return self._reread_if_older(self.settings.secrets_minutes * 60)

    @property
    def is_due(self) -> bool:
        """Whether `secrets_minutes` have passed."""
        seconds = self.settings.secrets_minutes * 60
        return 0 < seconds <= time.monotonic() - max(self._read_at, self._tried_at)

    def _reread_if_older(self, seconds: float) -> bool:
        with self._lock:
            if self._read is None or self.seconds_old < seconds:
                return False
            try:
                settings = self._read()
            except SettingsRefused as reason:
                logger.warning("the settings are not read again, those from before stay: %s", reason)
                return False
            finally:
                self._read_at = time.monotonic()
            if settings == self.settings:
                return False
            self.settings = settings
        logger.info("the settings have changed and were read again")
        return True
