"""Records how Chrome renders stored pages: `python -m tests.truth.record_looks FILE.jsonl ...`.

Each case whose page has a `style` element gets two members: `rendered`, the HTML as Chrome writes it, and `look`, what
a visit records about the look of the page. Run it once after new pages were added.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipeline.extract.browser.chrome_session import Driver, chrome
from pipeline.extract.visit import read_rendered
from tests.pipeline.extract.crawling import settings_for


def main() -> None:
    """Add the looks to all files in the arguments."""
    with tempfile.TemporaryDirectory() as folder, chrome(_settings(Path(folder))) as driver:
        for name in sys.argv[1:]:
            lines = Path(name).read_text(encoding="utf-8").splitlines()
            cases = [_with_look(driver, Path(folder), json.loads(line)) for line in lines]
            Path(name).write_text("".join(f"{_line(case)}\n" for case in cases), encoding="utf-8")


def _settings(folder: Path) -> Any:
    return settings_for(folder, "http://127.0.0.1:9")


def _with_look(driver: Driver, folder: Path, case: dict[str, Any]) -> dict[str, Any]:
    if "<style" not in case["html"]:
        return case
    page = folder / "page.html"
    page.write_text(case["html"], encoding="utf-8")
    driver.get(page.as_uri())
    rendered = read_rendered(driver, with_look=True)
    return {**case, "rendered": rendered.html, "look": rendered.look}


def _line(case: dict[str, Any]) -> str:
    return json.dumps(case, ensure_ascii=False)


if __name__ == "__main__":
    main()
