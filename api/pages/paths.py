"""Where sign-in may redirect to: only to paths of this site."""

from urllib.parse import urlsplit

HOME = "/dagster/"
_LONGEST = 2_000
_LOOPS = ("/sign-in", "/sign-out", "/auth/")


def safe_next(path: str | None) -> str:
    """Return `path` if it is a path on this site, otherwise the path of Dagster's web UI.

    Browsers treat `//host`, `/\\host` and paths that contain tabs as URLs of other hosts.
    """
    if not path or len(path) > _LONGEST or not path.startswith("/") or path.startswith("//"):
        return HOME
    if "\\" in path or not path.isascii() or not path.isprintable() or " " in path:
        return HOME
    try:
        parts = urlsplit(path)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc or parts.path.startswith(_LOOPS) else path
