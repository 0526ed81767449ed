"""Requests to the stand-in site."""

from functools import cache
from typing import Any

import httpx


@cache
def _client() -> httpx.Client:
    # One client for all requests: each client reads the certificates of all authorities when it is created.
    return httpx.Client(timeout=60, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def get(url: str, **options: Any) -> httpx.Response:
    """Send a GET request and return the response."""
    return _client().get(url, **options)
