"""Makes connections to PostgreSQL and Redis sign in with the credentials in the current settings."""

from collections.abc import Callable
from typing import Any, Generic
from urllib.parse import unquote, urlsplit, urlunsplit

from redis.credentials import CredentialProvider
from sqlalchemy import Engine, event, make_url

from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.settings import AnySettings


def _run_directly(work: Callable[[], bool]) -> bool:
    return work()


def use_current_login(
    engine: Engine,
    current: ReloadableSettings[AnySettings],
    url_of: Callable[[AnySettings], str],
    *,
    run: Callable[[Callable[[], bool]], bool] = _run_directly,
) -> None:
    """Make new connections of an engine use the user and the password of the current settings' URL.

    If a connection fails, the settings are reloaded. If the user or password changed, the connection is retried once.

    Args:
        engine: The engine.
        current: The settings. They are reloaded first if their reload is due.
        url_of: Returns the database URL in the settings.
        run: Takes and calls the function that reloads the settings. If the caller must not block, `run` can call that
            function in a thread.
    """

    def connect(dialect: Any, _: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        if current.is_reload_due:
            run(current.reload_if_due)
        used = _login(url_of(current.settings))
        try:
            return dialect.connect(*arguments, **{**options, **used})
        except (
            Exception
        ):  # The errors of the drivers have no common base class. The error is raised again below.
            run(current.reload_after_refusal)
            now = _login(url_of(current.settings))
            if now == used:
                raise
            return dialect.connect(*arguments, **{**options, **now})

    event.listen(engine, "do_connect", connect)


def _login(url: str) -> dict[str, str]:
    parsed = make_url(url)
    login = {"user": parsed.username, "password": parsed.password}
    return {name: value for name, value in login.items() if value is not None}


class RedisCredentials(CredentialProvider, Generic[AnySettings]):
    """Gives new Redis connections the user and the password of the current settings' URL."""

    def __init__(
        self, current: ReloadableSettings[AnySettings], url_of: Callable[[AnySettings], str]
    ) -> None:
        self._current, self._url_of = current, url_of

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Reload the settings if that is due, then return the credentials."""
        self._current.reload_if_due()
        return self._credentials()

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """Return the credentials without a reload, which would block the event loop."""
        return self._credentials()

    def _credentials(self) -> tuple[str] | tuple[str, str]:
        parts = urlsplit(self._url_of(self._current.settings))
        password = unquote(parts.password or "")
        return (unquote(parts.username), password) if parts.username else (password,)


def redis_credentials(
    current: ReloadableSettings[AnySettings], url_of: Callable[[AnySettings], str]
) -> tuple[str, dict[str, Any]]:
    """Return a Redis URL without credentials, and the client options that supply them.

    A URL without a password is returned unchanged, with no options.
    """
    url = url_of(current.settings)
    parts = urlsplit(url)
    if parts.password is None:
        return url, {}
    without = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return without, {"credential_provider": RedisCredentials(current, url_of)}
