"""Folding: different spellings of a name become one text, for the search and for the comparison of names."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.source_text import comparison_key
from warehouse.folding import fold, fold_before_strokes
from warehouse.records.models import Party, PartyKind
from warehouse.records.redaction import ERASED, Suppression, redact_parties

IDNO = "1003600069773"


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Łukasz", "lukasz"), ("KØBEN", "koben"), ("YILDIZ", "yildiz"), ("Yıldız", "yildiz"), ("İZMIR", "izmir"),
        ("Straße", "strasse"), ("STRAẞE", "strasse"), ("Æther", "aether"), ("ŒUVRE", "oeuvre"), ("Đorđe", "dorde"),
        ("Þór", "thor"), ("Ħamrun", "hamrun"), ("Ŧ", "t"), ("Ǿ", "o"), ("Ǽ", "ae"), ("ŉ", "'n"), ("Əli", "eli"),
        ("Ştiinţă", "stiinta"), ("Știință", "stiinta"), ("S\u0327tiint\u0326a\u0306", "stiinta"), ("Î Â Ă", "i a a"),
        ("Учёт", "учет"), ("УЧЕ\u0308Т", "учет"), ("Чайка", "чайка"), ("за\u0301мок", "замок"),
        ("ＦＩＲＭＡ\u3000１", "firma 1"), ("ﬁrma", "firma"), ("№ 5", "no 5"), ("℡", "tel"), ("e\u0301x\u0302", "ex"),
        ("A\u200bB\u00adC\ufeff", "abc"), ("\u2066FIRMA\u2069", "firma"), ("S\u200d\u0326A", "sa"),
        ("A\ufe0f", "a"), (" a \u00a0\n b ", "a b"), ("¨", ""), ("\u0301", ""), ("Київ Їжак", "київ їжак"),
    ],
)  # fmt: skip
def test_spellings_of_a_name_fold_to_one_text(name: str, folded: str) -> None:
    assert fold(name) == folded


@given(st.text(max_size=20))
def test_folding_does_not_depend_on_the_form_of_the_text(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert fold(unicodedata.normalize("NFD", text)) == folded
    assert fold(unicodedata.normalize("NFC", text)) == folded


@pytest.mark.parametrize(("one", "other"), [("Łukasz", "LUKASZ"), ("KØBEN", "Koben"), ("YILDIZ", "Yıldız")])
def test_spellings_are_equal_for_the_identity_of_a_name(one: str, other: str) -> None:
    assert comparison_key(f"{one} S.R.L.") == comparison_key(f"{other} SRL")


@pytest.mark.parametrize("stored", ["łukasz", "köben ø", "yıldız", "łæß", "i\u0307smail", "rusu ana"])
def test_a_suppression_of_an_earlier_version_still_hides_the_name(stored: str) -> None:
    """The hash is what earlier versions stored: the SHA-256 of the text that they folded the name to."""
    words = " ".join(sorted(fold_before_strokes(stored).split()))
    suppression = Suppression("salt", hashlib.sha256(f"salt\n{IDNO}\n{words}".encode()).hexdigest())
    parties = [Party(name=stored.upper(), kind=PartyKind.PERSON), Party(name="ALTUL", kind=PartyKind.PERSON)]

    if stored.upper().casefold() == stored:
        assert [party.name for party in redact_parties(parties, IDNO, [suppression])] == [ERASED, "ALTUL"]
    assert suppression.matches(IDNO, stored)
    assert not suppression.matches("1014600000912", stored)


def test_the_earlier_folding_has_not_changed() -> None:
    assert fold_before_strokes(" Łukasz  KØBEN ") == "łukasz køben"
    assert fold_before_strokes("Ştiinţă Учёт İ \u202bЙ") == "stiinta учет i\u0307 й"


@pytest.mark.parametrize("shown", ["Łukasz Yıldız", "YILDIZ LUKASZ", "lukasz, yildiz"])
def test_a_new_suppression_hides_every_spelling(shown: str) -> None:
    assert Suppression.of(IDNO, "ŁUKASZ YILDIZ").matches(IDNO, shown)
