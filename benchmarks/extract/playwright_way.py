"""The way with Playwright: it fetches in parallel pages of one browser, each in a browser context of its own."""

import asyncio
from collections.abc import Sequence

from playwright.async_api import Page, async_playwright

from benchmarks.extract.ways import TIMEOUT_SECONDS, ExtractSetup, Fetched, Way, browser_arguments
from stack.chrome import find_chrome

PLAYWRIGHT = "Playwright"


def playwright_way(tabs: int) -> Way:
    """Return the way with `tabs` parallel pages.

    This way knows in advance which two responses it has to wait for. Our crawl has to detect them.
    """
    return Way(PLAYWRIGHT, tabs, 2, lambda idnos, setup: asyncio.run(_fetch_all(idnos, setup, tabs=tabs)))


async def _fetch_all(idnos: Sequence[str], setup: ExtractSetup, *, tabs: int) -> list[Fetched]:
    waiting = list(reversed(idnos))
    fetched: list[Fetched] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chrome().binary, args=browser_arguments(), headless=True
        )

        async def work() -> None:
            context = await browser.new_context(viewport={"width": 1280, "height": 1024})
            page = await context.new_page()
            page.set_default_timeout(TIMEOUT_SECONDS * 1000)
            while waiting:
                fetched.append(await _fetch(page, setup.site_url, waiting.pop()))
                setup.meter.count()

        await asyncio.gather(*(work() for _ in range(tabs)))
        await browser.close()
    return fetched


async def _fetch(page: Page, site_url: str, idno: str) -> Fetched:
    async with (
        page.expect_response(f"**/api/companies/{idno}") as company,
        page.expect_response(f"**/api/fin-data-v1/{idno}") as figures,
    ):
        await page.goto(f"{site_url}/companies/{idno}", wait_until="commit")
        await page.locator("h1").wait_for()
    bodies = [await (await answer.value).body() for answer in (company, figures)]
    return Fetched(idno, await page.content(), len([body for body in bodies if body]))
