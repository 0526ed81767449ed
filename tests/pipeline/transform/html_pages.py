"""Handwritten company pages: a made-up company, layouts for its facts, and frames around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import product
from typing import TypeVar

from tests.long_version import LONG

_First = TypeVar("_First")
_Second = TypeVar("_Second")
_Third = TypeVar("_Third")

IDNO = "1020999000019"
OTHER_IDNO = "1020999009997"
OWNER_IDNO = "1007998000019"

LABELS = {
    "ro": (
        "IDNO",
        "Forma juridică",
        "Statut",
        "Data înregistrării",
        "Adresa juridică",
        "Fondatori",
        "Administratori",
    ),
    "ru": (
        "ИДНО",
        "Организационно-правовая форма",
        "Статус",
        "Дата регистрации",
        "Юридический адрес",
        "Учредители",
        "Руководители",
    ),
    "en": (
        "Fiscal code",
        "Legal form",
        "Status",
        "Registration date",
        "Registered office",
        "Founders",
        "Directors",
    ),
}


@dataclass(frozen=True)
class PageCompany:
    """A made-up company; `founders` maps names to shares in per cent."""

    name: str = "PLOPENA AGRO"
    form: str = "SRL"
    status: str = "Activă"
    date: str = "09.07.2020"
    address: str = "MD-2001, mun. Chișinău, str. Pilda, 12, ap. 3"
    founders: dict[str, str] = field(
        default_factory=lambda: {"MODELEANU ION": "33.33", "EXEMPLESCU MARIA": "66.67"}
    )
    administrators: tuple[str, ...] = ("PROBARU VASILE",)
    labels: tuple[str, ...] = LABELS["ro"]

    def facts(self) -> list[tuple[str, str]]:
        """Return the single facts as labels and escaped values, without blank ones."""
        values = (IDNO, self.form, self.status, self.date, self.address)
        return [(label, escape(value)) for label, value in zip(self.labels, values, strict=False) if value]

    def parties(self) -> list[tuple[str, list[str]]]:
        """Return the labels of the lists with their escaped entries, with shares in parentheses."""
        founders = [f"{escape(name)} ({share}%)" for name, share in self.founders.items()]
        lists = ((self.labels[5], founders), (self.labels[6], [escape(name) for name in self.administrators]))
        return [(label, entries) for label, entries in lists if entries]


def definitions(company: PageCompany) -> str:
    rows = [f"<dt>{label}:</dt><dd>{value}</dd>" for label, value in company.facts()]
    rows += [
        f"<dt>{label}</dt>" + "".join(f"<dd>{entry}</dd>" for entry in entries)
        for label, entries in company.parties()
    ]
    return f"<dl>{''.join(rows)}</dl>"


def definition_groups(company: PageCompany) -> str:
    rows = [f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in company.facts()]
    rows += [
        f"<div><dt>{label}</dt><dd>{unordered(entries)}</dd></div>" for label, entries in company.parties()
    ]
    return f"<dl>{''.join(rows)}</dl>"


def unordered(entries: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{entry}</li>" for entry in entries) + "</ul>"


def table(company: PageCompany) -> str:
    rows = [f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in company.facts()]
    rows += [
        f"<tr><th>{label}</th><td>{'<br>'.join(entries)}</td></tr>" for label, entries in company.parties()
    ]
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def table_of_cells(company: PageCompany) -> str:
    rows = [f"<tr><td>{label}:</td><td>{value}</td></tr>" for label, value in company.facts()]
    lists = [
        f"<h3>{label}</h3><table>{''.join(f'<tr><td>{e}</td></tr>' for e in es)}</table>"
        for label, es in company.parties()
    ]
    return f"<table>{''.join(rows)}</table>{''.join(lists)}"


def table_of_columns(company: PageCompany) -> str:
    head = "".join(f"<th>{label}</th>" for label, _ in company.facts())
    body = "".join(f"<td>{value}</td>" for _, value in company.facts())
    founders = "".join(f"<tr><td>{escape(n)}</td><td>{s} %</td></tr>" for n, s in company.founders.items())
    shares = f"<table><thead><tr><th>Nume</th><th>Cota</th></tr></thead><tbody>{founders}</tbody></table>"
    lists = f"<h2>{company.labels[5]}</h2>{shares}" if founders else ""
    lists += "".join(
        f"<h2>{label}</h2>{unordered(entries)}"
        for label, entries in company.parties()[-1:]
        if company.administrators
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody><tr>{body}</tr></tbody></table>{lists}"


def cards(company: PageCompany) -> str:
    rows = [
        f'<div class="a"><div class="b">{label}</div><div class="c">{value}</div></div>'
        for label, value in company.facts()
    ]
    rows += [
        f'<div class="d"><h4>{label}</h4><div>'
        + "".join(f'<div class="e"><b>{entry}</b></div>' for entry in entries)
        + "</div></div>"
        for label, entries in company.parties()
    ]
    return "".join(rows)


def bold_lines(company: PageCompany) -> str:
    rows = [f"<p><b>{label}:</b> {value}</p>" for label, value in company.facts()]
    rows += [f"<p><b>{label}:</b> {'; '.join(entries)}</p>" for label, entries in company.parties()]
    return "".join(rows)


def plain_lines(company: PageCompany) -> str:
    rows = [f"<p>{label}: {value}</p>" for label, value in company.facts()]
    rows += [f"<p>{label}: {', '.join(entries)}</p>" for label, entries in company.parties()]
    return "".join(rows)


def broken_lines(company: PageCompany) -> str:
    rows = [f"<strong>{label}</strong>: {value}" for label, value in company.facts()]
    rows += [f"<strong>{label}</strong>: {'; '.join(entries)}" for label, entries in company.parties()]
    return f"<div>{'<br>'.join(rows)}</div>"


def sections(company: PageCompany) -> str:
    rows = [f"<section><h3>{label}</h3><p>{value}</p></section>" for label, value in company.facts()]
    rows += [
        f"<section><h3>{label} ({len(entries)})</h3>"
        + "".join(f"<p>{entry}</p>" for entry in entries)
        + "</section>"
        for label, entries in company.parties()
    ]
    return "".join(rows)


def headings(company: PageCompany) -> str:
    rows = [f"<h4>{label}</h4><p>{value}</p>" for label, value in company.facts()]
    return "".join(rows) + "".join(
        f"<h4>{label}</h4>{unordered(entries)}" for label, entries in company.parties()
    )


def spans(company: PageCompany) -> str:
    rows = [f"<li><span>{label}</span><span>{value}</span></li>" for label, value in company.facts()]
    rows += [f"<li><span>{label}</span>{unordered(entries)}</li>" for label, entries in company.parties()]
    return f"<ul>{''.join(rows)}</ul>"


def grid(company: PageCompany) -> str:
    rows = [f'<div class="l">{label}</div><div class="v">{value}</div>' for label, value in company.facts()]
    rows += [
        f'<div class="l">{label}</div><div class="v">'
        + "".join(f"<div>{entry}</div>" for entry in entries)
        + "</div>"
        for label, entries in company.parties()
    ]
    return f"<div>{''.join(rows)}</div>"


def custom_elements(company: PageCompany) -> str:
    rows = [
        f"<app-fact><app-label><span>{label}</span></app-label><app-value><div><div>{value}</div></div></app-value></app-fact>"
        for label, value in company.facts()
    ]
    rows += [
        f"<app-list><app-title>{label}</app-title><app-items>"
        + "".join(f"<app-item><span>{entry}</span></app-item>" for entry in entries)
        + "</app-items></app-list>"
        for label, entries in company.parties()
    ]
    return f"<app-facts>{''.join(rows)}</app-facts>"


def accordions(company: PageCompany) -> str:
    rows = "".join(f"<tr><td>{label}</td><td>{value}</td></tr>" for label, value in company.facts())
    lists = "".join(
        f'<h3><button aria-expanded="false" aria-controls="p{i}">{label}</button></h3>'
        f'<div id="p{i}" hidden>{unordered(entries)}</div>'
        for i, (label, entries) in enumerate(company.parties())
    )
    return f"<details open><summary>Date generale</summary><table>{rows}</table></details>{lists}"


def labels_of_forms(company: PageCompany) -> str:
    rows = [f"<div><label>{label}</label><output>{value}</output></div>" for label, value in company.facts()]
    rows += [
        f"<fieldset><legend>{label}</legend>{unordered(entries)}</fieldset>"
        for label, entries in company.parties()
    ]
    return "".join(rows)


def small_cards(company: PageCompany) -> str:
    rows = [f"<div><small>{label}</small><strong>{value}</strong></div>" for label, value in company.facts()]
    rows += [
        f"<div><header><h3>{label}</h3></header>"
        + "".join(f'<article class="p"><div>{entry}</div></article>' for entry in entries)
        + "</div>"
        for label, entries in company.parties()
    ]
    return "".join(rows)


Layout = Callable[[PageCompany], str]
LAYOUTS: tuple[Layout, ...] = (
    *(
        definitions,
        definition_groups,
        table,
        table_of_cells,
        table_of_columns,
        cards,
        bold_lines,
        plain_lines,
    ),
    *(
        broken_lines,
        sections,
        headings,
        spans,
        grid,
        custom_elements,
        accordions,
        labels_of_forms,
        small_cards,
    ),
)

_OPERATOR = "MD-2099, mun. Chișinău, str. Operatorului, 5"


def bare_frame(content: str) -> str:
    return f"<body>{content}</body>"


def tagged_frame(content: str) -> str:
    return (
        f"<body><header><a href='/'>Acasă</a> Adresa: {_OPERATOR}</header><main>{content}</main>"
        f"<aside><h3>Companii similare</h3><p>Adresa: str. Alta, 1</p></aside>"
        f"<footer><p>Adresa: {_OPERATOR}</p><p>IDNO: {OTHER_IDNO}</p>"
        "<p>Administrator: OPERATORU PAUL</p></footer></body>"
    )


def plain_frame(content: str) -> str:
    return (
        f"<body><app-root><div><div><a href='/'>Acasă</a><a href='/a'>Adresa</a></div>"
        f"<span>Adresa: {_OPERATOR}</span></div>"
        f"<div><div><a href='/'>Acasă</a> / <span>{IDNO}</span></div>{content}</div>"
        f"<div><dl><dt>Adresa</dt><dd>{_OPERATOR}</dd><dt>IDNO</dt><dd>{OTHER_IDNO}</dd>"
        "<dt>Administrator</dt><dd>OPERATORU PAUL</dd><dt>Statut</dt><dd>Lichidată</dd></dl></div></app-root></body>"
    )


def frame_without_numbers(content: str) -> str:
    return (
        f"<body><div><a href='/'>Acasă</a></div><div>{content}</div>"
        f"<div><p><b>Adresa:</b> {_OPERATOR}</p><p><b>Administrator:</b> OPERATORU PAUL</p>"
        "<p>Telefon: 022</p></div></body>"
    )


def frame_beside(content: str) -> str:
    similar = "".join(
        f"<div class='s'><a href='/companies/{OTHER_IDNO}'>ALTA {i}</a><div>Adresa: str. Alta, {i}</div>"
        f"<div>Statut: Lichidată</div><div>Administrator: STRĂINU {i}</div></div>"
        for i in (1, 2)
    )
    return (
        f"<body><div><a href='/'>Acasă</a></div><div><div>{similar}</div><div>{content}</div><div>{similar}</div></div>"
        f"<div>© 2026 <p>Sediul: {_OPERATOR}</p></div></body>"
    )


Frame = Callable[[str], str]
FRAMES: tuple[Frame, ...] = (bare_frame, tagged_frame, plain_frame, frame_without_numbers, frame_beside)


def page(company: PageCompany, layout: Layout = definitions, frame: Frame = bare_frame) -> str:
    """Return a whole page: the heading and the facts in a layout, inside a frame."""
    content = frame(f"<h1>{escape(company.name)}</h1>{layout(company)}")
    return f"<!doctype html><html><head><title>{escape(company.name)} | Site</title></head>{content}</html>"


def each_pair(
    first: Sequence[_First], second: Sequence[_Second], third: Sequence[_Third]
) -> list[tuple[_First, _Second, _Third]]:
    """Return triples in which each two values occur together; in the long version all triples.

    `third` may not be longer than `first` or `second`.
    """
    if LONG:
        return list(product(first, second, third))
    return [
        (one, other, third[(i + j) % len(third)])
        for i, one in enumerate(first)
        for j, other in enumerate(second)
    ]
