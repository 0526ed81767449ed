"""Fills the API's tables with finished scrapes, each with its launch and request, and with waiting launches."""

from sqlalchemy import Connection, text

_FILL = (
    "CREATE TEMPORARY TABLE ended ON COMMIT DROP AS SELECT gen_random_uuid() AS scrape, gen_random_uuid() AS launch,"
    " :at + n AS n, now() - interval '90 days' + n * interval '1 second' AS ended_at FROM generate_series(1, :count) n",
    # One launch in a hundred was abandoned before it became a run.
    "INSERT INTO launches (id, kind, requested_by, run_id, attempts, claimed_until, created_at, launched_at)"
    " SELECT launch, CASE WHEN n % 2 = 0 THEN 'person' ELSE 'bulk' END, 'somebody',"
    " CASE WHEN n % 100 > 0 THEN 'ended ' || n END, 1, ended_at, ended_at, ended_at FROM ended",
    "INSERT INTO scrapes (id, idno, launch_id, state, outcome, attempts, created_at, finished_at)"
    " SELECT scrape, '1000' || lpad(n::text, 9, '0'), launch, 'succeeded', 'ok', 1, ended_at, ended_at FROM ended",
    "INSERT INTO launch_scrapes (launch_id, scrape_id) SELECT launch, scrape FROM ended",
    "INSERT INTO scrape_requests (scrape_id, user_id, force_refresh, created_at)"
    " SELECT scrape, (SELECT id FROM users LIMIT 1), false, ended_at FROM ended",
)
_WAITING = (
    "CREATE TEMPORARY TABLE waiting ON COMMIT DROP AS SELECT gen_random_uuid() AS scrape, gen_random_uuid() AS launch,"
    " n, CASE WHEN n % 2 = 0 THEN 'person' ELSE 'bulk' END AS kind FROM generate_series(1, :count) n",
    "INSERT INTO launches (id, kind, requested_by, attempts, claimed_until, created_at)"
    " SELECT launch, kind, 'somebody', 0, now() - interval '1 second',"
    " now() - CASE kind WHEN 'bulk' THEN interval '1 hour' ELSE interval '1 minute' END FROM waiting",
    "INSERT INTO scrapes (id, idno, launch_id, state) SELECT scrape, '1999' || lpad(n::text, 9, '0'), launch,"
    " 'launching' FROM waiting",
    "INSERT INTO launch_scrapes (launch_id, scrape_id) SELECT launch, scrape FROM waiting",
    "INSERT INTO scrape_requests (scrape_id, user_id, force_refresh)"
    " SELECT scrape, (SELECT id FROM users LIMIT 1), false FROM waiting",
)


def add_ended(connection: Connection, *, at: int, count: int) -> None:
    """Add `count` finished scrapes; `at` is the number of finished scrapes that already exist."""
    for statement in _FILL:
        values = {name: value for name, value in (("at", at), ("count", count)) if f":{name}" in statement}
        connection.execute(text(statement), values)


def add_waiting(connection: Connection, count: int) -> None:
    """Add `count` waiting launches. Launches of bulk work have waited longer than launches of single requests."""
    for statement in _WAITING:
        connection.execute(text(statement), {"count": count} if ":count" in statement else {})
