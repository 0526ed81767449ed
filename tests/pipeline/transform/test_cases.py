"""Every kept page reads as its case says. What a case is: tests/cases."""

import pytest

from tests.cases.kept import differences, load, names


@pytest.mark.parametrize("name", names())
def test_a_kept_page_reads_as_its_case_says(name: str) -> None:
    case = load(name)

    differing = differences(case.expected, case.read())

    said = [f"{field}: kept as {kept!r}, read as {read!r}" for field, (kept, read) in differing.items()]
    assert not differing, "\n".join([f"{name} ({case.about})", *said])
