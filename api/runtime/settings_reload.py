"""Reloads the settings, so that new keys and passwords take effect without a restart."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.settings import ApiSettings
from warehouse.config.reloadable import ReloadableSettings

logger = logging.getLogger(__name__)


@asynccontextmanager
async def periodic_reload(current: ReloadableSettings[ApiSettings]) -> AsyncIterator[None]:
    """Reload the settings on SIGHUP and every `secrets_minutes` (0: on SIGHUP only), for as long as the block runs."""
    reload_requested = asyncio.Event()
    task = asyncio.create_task(_reload_forever(current, reload_requested))
    loop, has_signals = asyncio.get_running_loop(), threading.current_thread() is threading.main_thread()
    if has_signals:
        loop.add_signal_handler(signal.SIGHUP, reload_requested.set)
    try:
        yield
    finally:
        if has_signals:
            loop.remove_signal_handler(signal.SIGHUP)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _reload_forever(current: ReloadableSettings[ApiSettings], reload_requested: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(current.settings.secrets_minutes * 60 or None):
                await reload_requested.wait()
        reload_requested.clear()
        try:
            await asyncio.to_thread(current.reload)
        except Exception:  # the next reload may succeed; the loop must not end
            logger.exception("reloading the settings failed")
