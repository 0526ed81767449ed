"""Reading the settings again, so that new keys and passwords count without a restart."""

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
    """Read the settings again at SIGHUP, and every `secrets_minutes`, until the block ends."""
    told = asyncio.Event()
    task = asyncio.create_task(_reread(current, told))
    loop, has_signals = asyncio.get_running_loop(), threading.current_thread() is threading.main_thread()
    if has_signals:
        loop.add_signal_handler(signal.SIGHUP, told.set)
    try:
        yield
    finally:
        if has_signals:
            loop.remove_signal_handler(signal.SIGHUP)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _reread(current: ReloadableSettings[ApiSettings], told: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(current.settings.secrets_minutes * 60 or None):
                await told.wait()
        told.clear()
        try:
            await asyncio.to_thread(current.reread)
        except Exception:  # whatever it is, the next time may do better; the loop must not end
            logger.exception("the settings could not be read again")
