"""Rendered pages for all tests of the reading: made once, by one browser."""

import pytest

from tests.pipeline.transform.rendered import COMPANIES, Rendered, manners, render


@pytest.fixture(scope="session")
def rendered_pages(tmp_path_factory: pytest.TempPathFactory) -> list[Rendered]:
    """A thousand companies, in every layout, language and variant."""
    return render(manners(COMPANIES), tmp_path_factory.mktemp("browser"))
