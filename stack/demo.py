"""`registru demo`: starts the platform with the stand-in site, requests companies and shows their records."""

import json
import secrets
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.console import Console
from rich.table import Table

from stack.api_client import ApiClient, scrape
from stack.home import Home
from stack.platform import run_platform
from stack.processes import Source
from standin import CASES, CaseName

_COMPANIES = (CaseName.FOUND, CaseName.COMPANY_FOUNDERS, CaseName.NOT_FOUND)


def run_demo(home: Home, *, port: int | None) -> int:
    """Run the demo. Return 0 if each company ended in the expected state and a repeated request was a cache hit."""
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    source = Source(url="", visits_per_second=0, stand_in=True)

    def show_step(message: str) -> None:
        console.print(f"[dim]{message} ...")

    with run_platform(home, source, port=port, report_progress=show_step) as (platform, _):
        console.print(
            f"ready {platform.gateway_url}; made-up companies from the stand-in site {platform.site_url}"
        )
        with ApiClient(platform.gateway_url) as client:
            _register(client, console)
            results = _request_all(client, console)
            _show(results, console)
            cached = _request_again(client, results[0], console)
        console.print(
            f"\nWhile the platform runs (`make up`), open {platform.gateway_url}/docs (the API's documentation; sign"
            f" in with Authorize)\nor {platform.dagster_url} (Dagster's web UI, after signing in). Logs: {home.logs}"
        )
    states = [result["state"] for result in results]
    if not cached or states != ["succeeded", "succeeded", "not_found"]:
        console.print(
            f"[bold red]The demo failed:[/] the companies ended in the states {states}; logs: {home.logs}"
        )
        return 1
    console.print("[bold green]The demo succeeded; everything is stopped.")
    return 0


def _register(client: ApiClient, console: Console) -> None:
    username, password = f"demo-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    client.register(username, password, f"{username}@example.com")
    client.sign_in(username, password)
    console.print(f"registered and signed in as {username}")


def _request_all(client: ApiClient, console: Console) -> list[dict[str, Any]]:
    idnos = [CASES[name].idno for name in _COMPANIES]
    console.print(f"requesting {len(idnos)} companies: {', '.join(idnos)}")
    started = time.monotonic()

    def one(idno: str) -> dict[str, Any]:
        return scrape(
            client,
            idno,
            force=True,
            on_state=lambda state: console.print(f"  {time.monotonic() - started:5.1f} s  {idno}  {state}"),
        )

    with ThreadPoolExecutor(len(idnos)) as pool:
        return list(pool.map(one, idnos))


def _show(results: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="The records", show_lines=True)
    table.add_column("")
    for result in results:
        table.add_column(result["idno"], overflow="fold", ratio=1)
    records = [result["data"] or {} for result in results]
    table.add_row("state", *(result["state"] for result in results))
    for field in ("name", "legal_form", "status", "registered_on", "address"):
        table.add_row(field, *(_text(record.get(field)) for record in records))
    for field in ("founders", "administrators"):
        table.add_row(field, *(_parties(record.get(field)) for record in records))
    console.print(table)
    console.print("The first record as JSON, with the capture that it was read from:")
    console.print(json.dumps(results[0]["data"], ensure_ascii=False, indent=2), markup=False, soft_wrap=True)


def _text(value: object) -> str:
    return "" if value is None else str(value).replace("[", "\\[")


def _parties(parties: list[Mapping[str, Any]] | None) -> str:
    return "\n".join(
        _text(party["name"]) + (f" {party['share']:g} %" if party.get("share") is not None else "")
        for party in parties or []
    )


def _request_again(client: ApiClient, result: Mapping[str, Any], console: Console) -> bool:
    started = time.monotonic()
    answer = client.request_company(result["idno"])
    took_ms = (time.monotonic() - started) * 1000
    source = "answered from the cache" if answer["cached"] else "a new run was launched"
    console.print(f"requesting {result['idno']} again: {source} in {took_ms:.0f} ms")
    return bool(answer["cached"])
