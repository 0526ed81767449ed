"""The plain loop for comparison: it uses `html.parser` and json, one INSERT per row and one commit per company.

It writes the same rows with less work: from the HTML it takes only the heading, it checks nothing and keeps no history.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg2
from bs4 import BeautifulSoup

from benchmarks.transform.stored_captures import Document
from warehouse.records.models import KEY_FIGURES

TABLES = """
DROP TABLE IF EXISTS plain_companies, plain_parties, plain_activities, plain_statements, plain_lines;
CREATE TABLE plain_companies (idno text PRIMARY KEY, name text, legal_form text, is_active boolean,
  registered_on date, address text, cuatm text);
CREATE TABLE plain_parties (idno text, relation text, position int, name text, share numeric,
  PRIMARY KEY (idno, relation, position));
CREATE TABLE plain_activities (idno text, is_licensed boolean, position int, name text,
  PRIMARY KEY (idno, is_licensed, position));
CREATE TABLE plain_statements (idno text, year int, revenue numeric, cost_of_sales numeric, gross_profit numeric,
  net_profit numeric, total_assets numeric, equity numeric, current_liabilities numeric, cash numeric,
  PRIMARY KEY (idno, year));
CREATE TABLE plain_lines (idno text, year int, form int, "row" text, value numeric, label text,
  PRIMARY KEY (idno, year, form, "row"));
"""
Row = tuple[str, Sequence[Any]]


def read(document: Document) -> list[Row]:
    """Return the rows that a capture yields, each as the name of its table and its values."""
    idno, html, (company, statements) = document
    soup = BeautifulSoup(html, "html.parser")
    heading = soup.find("h1")
    labels = {
        tag.get_text(strip=True).rstrip(":"): tag
        for tag in soup.find_all(["dt", "th", "b", "strong", "span", "div"])
    }
    said = json.loads(company)
    address, cuatm = said["address"] or {}, said["cuatm"] or {}
    name = heading.get_text(strip=True) if heading and labels else said["fullName"]
    registered = said["registeredAt"] if str(said["registeredAt"])[:1].isdigit() else None
    rows: list[Row] = [
        (
            "plain_companies",
            (
                idno,
                name,
                said["type"],
                said["isActive"],
                registered,
                address.get("fullName"),
                cuatm.get("name"),
            ),
        )
    ]
    rows += _parties(idno, said)
    rows += _activities(idno, said)
    for statement in json.loads(statements):
        rows += _statement(idno, statement)
    return rows


def run(url: str, documents: Iterable[Document]) -> int:
    """Read and store documents one by one in the database at `url`; return their number."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    count = 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(TABLES)
            for document in documents:
                for table, values in read(document):
                    marks = ", ".join(["%s"] * len(values))
                    cursor.execute(f"INSERT INTO {table} VALUES ({marks})", values)
                connection.commit()
                count += 1
    finally:
        connection.close()
    return count


def _parties(idno: str, said: dict[str, Any]) -> Iterator[Row]:
    for relation in ("Founders", "Administrators"):
        parties = said[f"person{relation}"] + said[f"company{relation}"]
        for position, party in enumerate(parties):
            yield "plain_parties", (idno, relation, position, party["fullName"], party.get("shares"))


def _activities(idno: str, said: dict[str, Any]) -> Iterator[Row]:
    for key, is_licensed in (("licensedActivities", True), ("unlicensedActivities", False)):
        for position, activity in enumerate(said[key]):
            yield "plain_activities", (idno, is_licensed, position, activity["name"])


def _statement(idno: str, statement: dict[str, Any]) -> Iterator[Row]:
    lines: dict[tuple[int, str], list[Any]] = {}
    for key, value in statement.items():
        if key.startswith("CODE_"):
            _, form, row, *label = key.split("_")
            line = lines.setdefault((int(form), row), [value, None])
            line[1] = " ".join(label) or line[1]
    figures = [lines.get(code, [None])[0] for code in KEY_FIGURES.values()]
    yield "plain_statements", (idno, statement["year"], *figures)
    for code, (value, label) in lines.items():
        yield "plain_lines", (idno, statement["year"], *code, value, label)
