"""Rendered pages for all tests of the transformation, produced once by one browser."""

import pytest

from tests.pipeline.transform.rendered import COMPANIES, RenderedPage, page_variants, render


@pytest.fixture(scope="session")
def rendered_pages(starts_browser: None, tmp_path_factory: pytest.TempPathFactory) -> list[RenderedPage]:
    """Pages of companies in every layout, language and variant."""
    return render(page_variants(COMPANIES), tmp_path_factory.mktemp("browser"))
