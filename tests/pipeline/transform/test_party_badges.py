"""Parties with badges, initials, flags and chips around their names, and lists in lines and cards."""

import pytest

from tests.pipeline.transform.test_strict_party import items, read, shares, unread

NAMES = ["RUSU ION", "POPA ANA"]
_DECORATED = [
    '<span class="av">R.I.</span><span class="n">RUSU ION</span>',
    '<span class="av">R I</span><span class="n">RUSU ION</span>',
    '<span class="av" aria-hidden="true">IR</span><span class="n">RUSU ION</span>',
    '<i class="av">R</i><span class="n">RUSU ION</span>',
    '<img src="a.png" alt="Avatar"><span>RUSU ION</span>',
    '<span class="flag">🇲🇩</span> RUSU ION',
    'RUSU ION<span class="badge">verificat</span>',
    'RUSU ION <span class="badge">✓ verificat</span>',
    'RUSU ION<span class="pill">3 companii</span>',
    "RUSU ION <small>(în 12 companii)</small>",
    "RUSU ION <span>1 omonim</span>",
    'RUSU ION<span class="bd">2 компании</span>',
    "RUSU ION <a>Profil</a>",
    "👤 RUSU ION",
]


@pytest.mark.parametrize("entry", _DECORATED)
def test_decoration_around_a_name_is_no_part_of_it(entry: str) -> None:
    reading = read(items("Administratori", entry, "POPA ANA"))

    assert [party.name for party in reading.administrators] == NAMES
    assert not reading.unread


@pytest.mark.parametrize(
    ("entry", "remark"), [("🇷🇴 RUSU ION", "🇷🇴"), ("RUSU ION (3 companii)", "3 companii"), ("RUSU ION ✓", "✓")]
)
def test_decoration_is_kept_as_remark(entry: str, remark: str) -> None:
    assert read(items("Fondatori", entry)).founders[0].remark == remark


@pytest.mark.parametrize(
    "entry",
    [
        'RUSU ION <span class="badge">Gold Partner</span>',
        "RUSU ION ✝",
        "RUSU ION (xyz 12 q)",
        'RUSU ION <span class="badge">5</span>',
        '<span class="av">XY</span> <span class="n">RUSU ION</span>',
    ],
)
def test_unknown_text_beside_a_name_makes_the_entry_unread(entry: str) -> None:
    reading = read(items("Administratori", entry, "POPA ANA"))

    assert [party.name for party in reading.administrators] == ["POPA ANA"]
    assert len(unread(reading)) == 1
    assert reading.incomplete == {"administrators"}


@pytest.mark.parametrize(
    "value",
    [
        '<div><span class="c">RUSU ION</span><span class="c">POPA ANA</span></div>',
        '<div><span class="c">RUSU ION</span> <span class="c">POPA ANA</span></div>',
        '<span class="c">RUSU ION</span><span class="c">POPA ANA</span>',
        '<div class="founder-1"><h4><a href="/o/1">RUSU ION</a></h4></div>'
        '<div class="founder-2"><h4><a href="/o/2">POPA ANA</a></h4></div>',
        "<h4>RUSU ION</h4><h4>POPA ANA</h4>",
    ],
)
def test_chips_and_cards_are_one_party_each(value: str) -> None:
    assert [party.name for party in read(f"<h3>Fondatori</h3>{value}").founders] == NAMES


@pytest.mark.parametrize(
    "rest", ['<span class="c more">+6</span>', '<a class="x">+6</a>', "<button>+6</button>"]
)
def test_chip_that_counts_the_rest_makes_the_list_incomplete(rest: str) -> None:
    chips = f'<div><span class="c">RUSU ION</span><span class="c">POPA ANA</span>{rest}</div>'
    reading = read(f"<h3>Fondatori</h3>{chips}")

    assert [party.name for party in reading.founders] == NAMES
    assert reading.incomplete == {"founders"}


@pytest.mark.parametrize(
    "lines",
    [
        "Fondatori:<br>RUSU ION (50%)<br>POPA ANA (50%)",
        "Fondatori:<br>RUSU ION (50%),<br>POPA ANA (50%)",
        "<b>Fondatori:</b><br>1. RUSU ION — 50%<br>2. POPA ANA — 50%",
        "Fondatori:<br>RUSU ION (50%)<br>POPA ANA (50%)<br>Contacte:<br>LUPU VASILE",
        "Fondatori:<br>RUSU ION (50%)<br>POPA ANA (50%)<br>Adresa:<br>str. Pilda, 1",
    ],
)
def test_lines_after_a_label_are_read_up_to_the_next_label(lines: str) -> None:
    assert shares(read(f"<p>{lines}</p>").founders) == {"RUSU ION": 50, "POPA ANA": 50}


def test_names_of_different_looks_are_not_read() -> None:
    reading = read('<h3>Fondatori</h3><p class="lead">RUSU ION</p><p class="dim">POPA ANA</p>')

    assert not reading.founders
    assert unread(reading)


@pytest.mark.parametrize(
    "text",
    [
        "more than 25% but not more than 50%",
        "peste 25%, dar nu mai mult de 50%",
        "mai mult de 25% și până la 50% inclusiv",
        "более 25%, но не более 50%",
        "Ownership of shares – More than 25% but not more than 50%",
    ],
)
def test_bounds_joined_by_words_are_no_share(text: str) -> None:
    reading = read(items("Fondatori", f"RUSU ION ({text})"))

    assert shares(reading.founders) == {"RUSU ION": None}
    assert reading.founders[0].remark == text


def test_share_of_an_unread_entry_counts_in_the_sum() -> None:
    reading = read(items("Fondatori", "RUSU ION (60%)", "POPA ANA (xyz 12 q) (55%)"))

    assert shares(reading.founders) == {"RUSU ION": None}
    assert reading.founders[0].remark == "60%"


def test_legal_form_before_a_name_is_not_taken_for_initials() -> None:
    reading = read(
        '<h3>Fondatori</h3><ul><li><span class="f">SA</span> <span class="n">ALFA SUD</span></li></ul>'
    )

    assert not [party for party in reading.founders if party.name == "ALFA SUD"]
