"""Mutations of the values on a page, each with the facts that the mutated page states."""

import copy
import random
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

Case = dict[str, Any]
Raw = Mapping[str, str]
Mutation = Callable[[Case, Raw, Case, random.Random], Case | None]
"""Returns a mutated case from a case, the texts that its facts were read from, another case and a random generator.

None if the mutation does not fit the page."""

_ERROR_WORDS = (
    *("EROARE", "ERROR", "404", "NOT FOUND", "FORBIDDEN", "CAPTCHA", "NO COMPANY", "INEXISTENT", "OOPS"),
    *("JUST A MOMENT", "MENTENANȚĂ", "ОШИБКА", "НЕ НАЙДЕНО", "ACCESS DENIED", "INDISPONIBIL", "LOADING"),
)
_PLACEHOLDERS = (
    *(
        "—",
        "n/a",
        "NULL",
        "undefined",
        "[object Object]",
        "{{ value }}",
        "Se încarcă…",
        "Loading…",
        "загрузка…",
    ),
    *(
        "Datele lipsesc",
        "Lorem ipsum dolor sit amet",
        "Conectați-vă pentru a vedea",
        "Sign in to see",
        "0",
        ",",
    ),
)
_NOT_ACTIVE = (
    "în lichidare",
    "în proces de insolvabilitate",
    "suspendată",
    "в процессе ликвидации",
    "in liquidation",
)
_TAGS = ("b", "span", "em", "strong", "u", "font", "bdi", "mark")
_HIDING = (
    "<span hidden>{}</span>",
    '<span style="display:none">{}</span>',
    "<del>{}</del>",
    "<s>{}</s>",
    '<span style="visibility: hidden">{}</span>',
    "<template>{}</template>",
)
_SCALARS = ("status", "legal_form", "registered_on", "address")
_SHORT = ("status", "legal_form", "registered_on")
"""Fields with few possible values, so that no other text can be taken for one."""
_MIN_CUT_LENGTH = 12


def wrap_value(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Wrap a value in an inline element; the facts stay the same."""
    if (place := _place(case, raw, rng, _SCALARS)) is None:
        return None
    tag = rng.choice(_TAGS)
    return _with_text(case, place[1], f"<{tag}>{place[1]}</{tag}>")


def hide_value(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Hide a value or strike it out; the page no longer states it."""
    if (place := _place(case, raw, rng, _SCALARS)) is None:
        return None
    return _without_fact(_with_text(case, place[1], rng.choice(_HIDING).format(place[1])), place[0])


def truncate_value(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Cut an address off with an ellipsis; the rest is no address."""
    if (place := _place(case, raw, rng, ("address",))) is None or len(place[1]) < _MIN_CUT_LENGTH:
        return None
    cut = place[1][: rng.randrange(_MIN_CUT_LENGTH // 2, len(place[1]) - 2)].rstrip("&amp;# ")
    return _without_fact(_with_text(case, place[1], cut + rng.choice(("…", "...", " …"))), place[0])


def join_values(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Write another text directly after a value; the whole text is no value."""
    if (place := _place(case, raw, rng, _SHORT)) is None or not place[1][-1].isalnum():
        return None
    tail = rng.choice(("Chișinău", "MD-2001", "12.03.2015", "Activă", "SRL", "xyz", "1234567", "str. Alta"))
    return _without_fact(_with_text(case, place[1], place[1] + tail), place[0])


def swap_values(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Exchange the values of two fields; neither is a value in the other's place."""
    places = [place for field in _SCALARS if (place := _place(case, raw, rng, (field,)))]
    if len(places) < 2:
        return None
    (one, one_text), (two, two_text) = rng.sample(places, 2)
    swapped = _with_text(_with_text(case, one_text, "\x01"), two_text, one_text)
    return _without_fact(_without_fact(_with_text(swapped, "\x01", two_text), one), two)


def use_placeholder(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Put a placeholder into the place of a value."""
    if (place := _place(case, raw, rng, _SCALARS)) is None:
        return None
    return _without_fact(_with_text(case, place[1], escape(rng.choice(_PLACEHOLDERS))), place[0])


def contradict_status(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Add a remark that contradicts an active status."""
    if (
        case["expect"]["facts"].get("status") != "active"
        or (place := _place(case, raw, rng, ("status",))) is None
    ):
        return None
    remark = rng.choice(_NOT_ACTIVE)
    mutated = _with_text(
        case, place[1], place[1] + rng.choice((f" ({remark})", f", {remark}", f" – {remark}"))
    )
    del mutated["expect"]["facts"]["status"]
    mutated["expect"]["absent_active"] = True
    return mutated


def remark_on_party(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Add a remark to a party's name; the name stays the same."""
    parties = [
        (field, party["name"])
        for field in ("founders", "administrators")
        for party in case["expect"]["facts"].get(field, ())
        # If the shares of a list are not plausible, an unread entry may make the others plausible.
        if ("share" not in party or party["share"] is not None)
        and _count(case, escape(party["name"], quote=False)) == 1
    ]
    if not parties:
        return None
    name = escape(rng.choice(parties)[1], quote=False)
    remark = rng.choice(
        ("din 12.03.2015", "cetățean al Republicii Moldova", "peste 25%", "27 000 lei", "xyz 12 q")
    )
    return _with_text(case, name, f"{name} ({remark})")


def put_error_word_into_name(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Add a word of error messages to the company's name, wherever it stands."""
    name = case["expect"]["facts"].get("name")
    if not name or f">{escape(name, quote=False)}<" not in case["html"].partition("<body")[2]:
        return None  # the heading may show the name in pieces
    longer = f"{rng.choice(_ERROR_WORDS)} {name}"
    mutated = copy.deepcopy(case)
    mutated["html"] = mutated["html"].replace(escape(name, quote=False), escape(longer, quote=False))
    company = mutated.get("json", {}).get("company")
    if company:
        if company.get("fullName") != name:
            return None
        company["fullName"] = longer
    mutated["expect"]["facts"]["name"] = longer
    return mutated


def show_other_card(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Show a card of another company beside; the facts stay the same."""
    facts = other["expect"].get("facts", {})
    if not {"name", "address"} <= facts.keys() or other["idno"] == case["idno"]:
        return None
    card = (
        f'<div class="card"><h4>{escape(facts["name"])}</h4><p>IDNO: {other["idno"]}</p>'
        f"<p>Adresa: {escape(facts['address'])}</p><p>Statut: Lichidată</p></div>"
    )
    place = rng.choice(("</main>", "</body>"))
    if place not in case["html"]:
        return None
    mutated = copy.deepcopy(case)
    title = rng.choice(("<h3>Companii similare</h3>", "<h3>Похожие компании</h3>", ""))
    mutated["html"] = mutated["html"].replace(place, f"<section>{title}{card}</section>{place}", 1)
    return mutated


def insert_invisible_characters(case: Case, raw: Raw, other: Case, rng: random.Random) -> Case | None:
    """Write no-break spaces, soft hyphens or zero-width spaces into a value; the facts stay the same."""
    if (place := _place(case, raw, rng, _SCALARS)) is None or " " not in place[1]:
        return None
    mark = rng.choice(("\u00a0", " \u200b", "&nbsp;", "\u202f"))
    return _with_text(case, place[1], place[1].replace(" ", mark))


MUTATIONS: tuple[Mutation, ...] = (
    *(wrap_value, hide_value, truncate_value, join_values, swap_values, use_placeholder, contradict_status),
    *(remark_on_party, put_error_word_into_name, show_other_card, insert_invisible_characters),
)


def _place(case: Case, raw: Raw, rng: random.Random, fields: tuple[str, ...]) -> tuple[str, str] | None:
    """Return one of the fields that the page alone states, and its text as it stands exactly once in the HTML."""
    if "json" in case:
        return None
    texts = {
        field: escape(raw[field], quote=False)
        for field in fields
        if field in raw and field in case["expect"]["facts"]
    }
    places = [(field, text) for field, text in texts.items() if len(text) > 1 and _count(case, text) == 1]
    return rng.choice(places) if places else None


def _count(case: Case, text: str) -> int:
    return int(case["html"].count(text))


def _with_text(case: Case, old: str, new: str) -> Case:
    mutated = copy.deepcopy(case)
    mutated["html"] = mutated["html"].replace(old, new, 1)
    return mutated


def _without_fact(case: Case, field: str) -> Case:
    case["expect"]["facts"].pop(field, None)
    case["expect"].setdefault("absent", [])
    case["expect"]["absent"] = [*case["expect"]["absent"], field]
    return case
