"""Every stored page is read as its case expects. See tests/cases."""

import pytest

from tests.cases.case_store import case_names, differences, load_case


@pytest.mark.parametrize("name", case_names())
def test_a_stored_page_is_read_as_its_case_expects(name: str) -> None:
    case = load_case(name)

    differing = differences(case.expected, case.read())

    lines = [f"{field}: expected {kept!r}, read {read!r}" for field, (kept, read) in differing.items()]
    assert not differing, "\n".join([f"{name} ({case.about})", *lines])
