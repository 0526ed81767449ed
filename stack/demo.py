"""The main job end to end, for a person to see: sign in, ask for companies, get records that can be proved."""

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
from stack.platform import running
from stack.processes import Source
from standin import CASES, CaseName

_COMPANIES = (CaseName.FOUND, CaseName.COMPANY_FOUNDERS, CaseName.NOT_FOUND)


def run_demo(home: Home, *, port: int | None) -> int:
    """Run the demo; return 0 if everything ended as it should."""
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    source = Source(url="", visits_per_second=0, stand_in=True)
    with running(home, source, port=port, say=lambda message: console.print(f"[dim]{message} ...")) as (
        platform,
        _,
    ):
        console.print(
            f"ready {platform.gateway_url}; made-up companies from the stand-in site {platform.site_url}"
        )
        with ApiClient(platform.gateway_url) as client:
            _sign_up(client, console)
            results = _ask_for_all(client, console)
            _show(results, console)
            cached = _ask_again(client, results[0], console)
        console.print(
            f"\nWhile it runs (`make up`), the web UIs are {platform.gateway_url}/docs (the API's, with an Authorize"
            f" button)\nand {platform.dagster_url} (Dagster's, after signing in). Logs: {home.logs}"
        )
    states = [result["state"] for result in results]
    if not cached or states != ["succeeded", "succeeded", "not_found"]:
        console.print(f"[bold red]The demo failed:[/] its companies ended as {states}; logs: {home.logs}")
        return 1
    console.print("[bold green]The demo went through; everything is stopped.")
    return 0


def _sign_up(client: ApiClient, console: Console) -> None:
    username, password = f"demo-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    client.register(username, password, f"{username}@example.com")
    client.sign_in(username, password)
    console.print(f"registered and signed in as {username}")


def _ask_for_all(client: ApiClient, console: Console) -> list[dict[str, Any]]:
    idnos = [CASES[name].idno for name in _COMPANIES]
    console.print(f"asking for {len(idnos)} companies: {', '.join(idnos)}")
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
    console.print("The first one as JSON, with the capture that proves it:")
    console.print(json.dumps(results[0]["data"], ensure_ascii=False, indent=2), markup=False, soft_wrap=True)


def _text(value: object) -> str:
    return "" if value is None else str(value).replace("[", "\\[")


def _parties(parties: list[Mapping[str, Any]] | None) -> str:
    return "\n".join(
        _text(party["name"]) + (f" {party['share']:g} %" if party.get("share") is not None else "")
        for party in parties or []
    )


def _ask_again(client: ApiClient, result: Mapping[str, Any], console: Console) -> bool:
    started = time.monotonic()
    answer = client.ask(result["idno"])
    took_ms = (time.monotonic() - started) * 1000
    source = "the cache answers" if answer["cached"] else "a new run was launched"
    console.print(f"asking for {result['idno']} again: {source} in {took_ms:.0f} ms")
    return bool(answer["cached"])
