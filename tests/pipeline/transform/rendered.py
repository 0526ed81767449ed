"""Pages of the stand-in site rendered by a real Chrome, in parallel frames of one window."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from pipeline.extract.browser.chrome_session import chrome
from standin import Lang, Layout, company, fin_data, running_site
from standin.site_facts import make_idno
from tests.long_version import LONG
from tests.pipeline.extract.crawling import settings_for

VARIANTS = range(8)
COMBINATIONS = len(Layout) * len(Lang) * len(VARIANTS)
COMPANIES = 1000 if LONG else COMBINATIONS
"""By default each combination of layout, language and variant is rendered once."""
_PARALLEL_FRAMES = 8
_BATCH_SIZE = 64
_SCRIPT_SECONDS = 60

# A page is complete once it has a heading and no text that says that it is loading.
_RENDER = """
const [urls, parallel, loading, done] = arguments;
const pages = new Array(urls.length);
let next = 0;
const pause = () => new Promise((resolve) => setTimeout(resolve, 15));
async function render(index) {
  const frame = document.createElement("iframe");
  frame.src = urls[index];
  frame.hidden = true;  // a hidden frame needs no time for layout and painting
  document.body.append(frame);
  for (;;) {
    await pause();
    const root = frame.contentDocument && frame.contentDocument.documentElement;
    const main = root && root.querySelector("h1") && root.textContent;
    if (main && !loading.some((text) => main.includes(text))) break;
  }
  pages[index] = frame.contentDocument.documentElement.outerHTML;
  frame.remove();
}
async function work() {
  while (next < urls.length) await render(next++);
}
Promise.all(Array.from({ length: parallel }, work)).then(() => done(pages));
"""
_LOADING = ["Se încarcă…", "Загрузка…", "Loading…"]


@dataclass(frozen=True)
class RenderedPage:
    """The page of a company in one layout, language and variant."""

    idno: str
    layout: Layout
    lang: Lang
    variant: int
    html: str = ""

    @property
    def path(self) -> str:
        """The path and query of the page on the stand-in site."""
        return f"/companies/{self.idno}?layout={self.layout}&lang={self.lang}&variant={self.variant}"

    @property
    def bodies(self) -> list[bytes]:
        """The payloads that the page fetched from the API."""
        payloads = (company(self.idno), fin_data(self.idno))
        return [json.dumps(payload, ensure_ascii=False).encode() for payload in payloads]


def page_variants(count: int) -> list[RenderedPage]:
    """Return the unrendered pages of `count` companies, spread evenly over layouts, languages and variants."""
    combinations = list(product(Layout, Lang, VARIANTS))
    return [
        # A step of 7 gives the companies of one combination IDNOs of different years.
        RenderedPage(make_idno(7 * number), *combinations[number % len(combinations)])
        for number in range(count)
    ]


def render(pages: Sequence[RenderedPage], work_dir: Path) -> list[RenderedPage]:
    """Return the pages with their HTML, from a stand-in site that embeds the data in its documents."""
    rendered: list[RenderedPage] = []
    with running_site(embedded=True) as site, chrome(settings_for(work_dir, site.url)) as driver:
        driver.set_script_timeout(_SCRIPT_SECONDS)
        driver.get(f"{site.url}/robots.txt")  # no script, and the same origin as the frames
        for begin in range(0, len(pages), _BATCH_SIZE):
            batch = pages[begin : begin + _BATCH_SIZE]
            urls = [page.path for page in batch]
            shown = driver.execute_async_script(_RENDER, urls, _PARALLEL_FRAMES, _LOADING)
            rendered += [replace(page, html=html) for page, html in zip(batch, shown, strict=True)]
    return rendered
