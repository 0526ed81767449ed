"""Routes that answer with and without the slash at the end."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter


class Router(APIRouter):
    """A router whose every path also works with its trailing slash added or left out.

    (Redirecting instead would make clients send their bodies twice.)
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route for `path`, and a second one, not in the documentation, for its other spelling."""
        super().add_api_route(path, endpoint, **options)
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        if other and path != "/":
            super().add_api_route(other, endpoint, **{**options, "include_in_schema": False})
