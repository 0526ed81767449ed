"""CUATM units, activities and key figures in every handwritten layout and frame."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from pipeline.transform.html.page_reader import read_html
from tests.pipeline.transform.html_pages import (
    FRAMES,
    IDNO,
    LABELS,
    LAYOUTS,
    Frame,
    Layout,
    PageCompany,
    each_pair,
    page,
)
from warehouse.records.models import Activity, Cuatm

ACTIVITIES = (
    "Fabricarea pîinii; fabricarea produselor proaspete de patiserie",
    "Cultivarea cerealelor (exclusiv orez), plantelor leguminoase și oleaginoase",
)
LABELS_AND_TITLES = {
    "ro": ("Codul CUATM", "Activități licențiate", "Total active", "Profit net", "Situații financiare, 2024"),
    "ru": (
        "Код CUATM",
        "Лицензируемые виды деятельности",
        "Итого активы",
        "Чистая прибыль",
        "Финансовая отчётность за 2024 год",
    ),
    "en": (
        "CUATM code",
        "Licensed activities",
        "Total assets",
        "Net profit",
        "Financial statements (2024)",
    ),
}


@dataclass(frozen=True)
class CompanyWithActivities(PageCompany):
    """A company with a CUATM unit and activities."""

    lang: str = "ro"

    def facts(self) -> list[tuple[str, str]]:
        return [*super().facts(), (LABELS_AND_TITLES[self.lang][0], "SEC.CENTRU (130000)")]

    def parties(self) -> list[tuple[str, list[str]]]:
        return [*super().parties(), (LABELS_AND_TITLES[self.lang][1], list(ACTIVITIES))]


@dataclass(frozen=True)
class KeyFigureRows(PageCompany):
    """Key figures in the place of the facts of a company."""

    lang: str = "ro"

    def facts(self) -> list[tuple[str, str]]:
        _, _, assets, profit, _ = LABELS_AND_TITLES[self.lang]
        return [(assets, "1 234 567 MDL"), (profit, "(87) MDL")]

    def parties(self) -> list[tuple[str, list[str]]]:
        return []


def page_with_activities_and_figures(layout: Layout, frame: Frame, lang: str) -> str:
    def content(company: PageCompany) -> str:
        shown = layout(KeyFigureRows(lang=lang, founders={}, administrators=()))
        return f"{layout(company)}<div><h2>{LABELS_AND_TITLES[lang][4]}</h2>{shown}</div>"

    return page(CompanyWithActivities(labels=LABELS[lang], lang=lang), content, frame)


@pytest.mark.parametrize(("layout", "frame", "lang"), each_pair(LAYOUTS, FRAMES, tuple(LABELS)))
def test_cuatm_activities_and_figures_are_read_exactly_or_not_at_all(
    layout: Layout, frame: Frame, lang: str
) -> None:
    reading = read_html(page_with_activities_and_figures(layout, frame, lang), IDNO)

    assert reading.cuatm in (Cuatm(code="130000", name="SEC.CENTRU"), None)
    assert reading.licensed_activities in (tuple(Activity(name=name) for name in ACTIVITIES), ())
    assert reading.unlicensed_activities == ()
    figures = {"total_assets": Decimal(1234567), "net_profit": Decimal(-87)}
    assert [statement.year for statement in reading.statements] in ([2024], [])
    assert all(statement.figures().items() <= figures.items() for statement in reading.statements)


def test_at_least_nine_tenths_of_the_values_are_read() -> None:
    read_flags = [
        (bool(reading.cuatm), bool(reading.licensed_activities), bool(reading.statements))
        for layout in LAYOUTS
        for frame in FRAMES
        if (reading := read_html(page_with_activities_and_figures(layout, frame, "ro"), IDNO))
    ]

    assert sum(map(sum, read_flags)) >= 0.9 * 3 * len(read_flags)
