"""Connections to PostgreSQL and Redis that sign in with what the settings say by the time they are made."""

from collections.abc import Callable
from typing import Any, Generic
from urllib.parse import unquote, urlsplit, urlunsplit

from redis.credentials import CredentialProvider
from sqlalchemy import Engine, event, make_url

from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.settings import AnySettings


def _at_once(work: Callable[[], bool]) -> bool:
    return work()


def sign_in_as_current(
    engine: Engine,
    current: ReloadableSettings[AnySettings],
    url_of: Callable[[AnySettings], str],
    *,
    run: Callable[[Callable[[], bool]], bool] = _at_once,
) -> None:
    """Have an engine's new connections use the user and the password that the settings' URL holds by then.

    One that is refused is tried once more if the settings turn out to have changed. `run` does the reading, for who
    must not wait for it here.
    """

    def connect(dialect: Any, _: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        if current.is_due:
            run(current.reread_if_due)
        used = _login(url_of(current.settings))
        try:
            return dialect.connect(*arguments, **{**options, **used})
        except Exception:  # of whatever kind: the drivers' own have nothing in common
            run(current.reread_soon)
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
    """Gives Redis's new connections the user and the password that the settings' URL holds by then."""

    def __init__(
        self, current: ReloadableSettings[AnySettings], url_of: Callable[[AnySettings], str]
    ) -> None:
        self._current, self._url_of = current, url_of

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return what to sign in with."""
        self._current.reread_if_due()
        return self._held()

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """Return what to sign in with; reading the settings again is not for the event loop."""
        return self._held()

    def _held(self) -> tuple[str] | tuple[str, str]:
        parts = urlsplit(self._url_of(self._current.settings))
        password = unquote(parts.password or "")
        return (unquote(parts.username), password) if parts.username else (password,)


def redis_credentials(
    current: ReloadableSettings[AnySettings], url_of: Callable[[AnySettings], str]
) -> tuple[str, dict[str, Any]]:
    """Return the URL of a Redis without its password, and the options by which its clients sign in."""
    url = url_of(current.settings)
    parts = urlsplit(url)
    if parts.password is None:
        return url, {}
    without = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return without, {"credential_provider": RedisCredentials(current, url_of)}
