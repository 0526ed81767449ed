"""Forms in the platform's HTML pages."""

import httpx
from bs4 import BeautifulSoup


def hidden_fields(page: httpx.Response) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    fields = BeautifulSoup(page.text, "lxml").select("input[type=hidden]")
    return {str(field["name"]): str(field["value"]) for field in fields}
