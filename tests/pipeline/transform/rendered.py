"""Pages of the stand-in site as a real Chrome renders them, many at once in frames of one window."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from pipeline.extract.browser.chrome_session import chrome
from standin import Lang, Layout, company, fin_data, running_site
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import settings_for

VARIANTS = range(8)
COMPANIES = 1000
_AT_ONCE = 8
_BATCH = 64
_SCRIPT_SECONDS = 60

# A page is there once its heading is and no text says that it is loading.
_RENDER = """
const [urls, atOnce, loading, done] = arguments;
const pages = new Array(urls.length);
let next = 0;
const pause = () => new Promise((resolve) => setTimeout(resolve, 15));
async function render(index) {
  const frame = document.createElement("iframe");
  frame.src = urls[index];
  frame.hidden = true;  // nobody looks: no time for where things stand and how they look
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
Promise.all(Array.from({ length: atOnce }, work)).then(() => done(pages));
"""
_LOADING = ["Se încarcă…", "Загрузка…", "Loading…"]


@dataclass(frozen=True)
class Rendered:
    """A company's page in one of its many manners."""

    idno: str
    layout: Layout
    lang: Lang
    variant: int
    html: str = ""

    @property
    def path(self) -> str:
        """Where the site shows it."""
        return f"/companies/{self.idno}?layout={self.layout}&lang={self.lang}&variant={self.variant}"

    @property
    def bodies(self) -> list[bytes]:
        """What the page got from the API."""
        answers = (company(self.idno), fin_data(self.idno))
        return [json.dumps(answer, ensure_ascii=False).encode() for answer in answers]


def manners(count: int) -> list[Rendered]:
    """Return `count` companies; each layout, language and variant comes as often as any other."""
    ways = list(product(Layout, Lang, VARIANTS))
    return [
        Rendered(make_idno(7 * number), *ways[number % len(ways)])  # of other years each time around
        for number in range(count)
    ]


def render(pages: Sequence[Rendered], work_dir: Path) -> list[Rendered]:
    """Return pages with what they show, from a site of their own that has its data in its documents."""
    rendered: list[Rendered] = []
    with running_site(embedded=True) as site, chrome(settings_for(work_dir, site.url)) as driver:
        driver.set_script_timeout(_SCRIPT_SECONDS)
        driver.get(f"{site.url}/robots.txt")  # no script of its own, and of the same origin as the frames
        for begin in range(0, len(pages), _BATCH):
            batch = pages[begin : begin + _BATCH]
            urls = [page.path for page in batch]
            shown = driver.execute_async_script(_RENDER, urls, _AT_ONCE, _LOADING)
            rendered += [replace(page, html=html) for page, html in zip(batch, shown, strict=True)]
    return rendered
