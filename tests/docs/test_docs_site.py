"""The documentation site: it builds without warnings, loads nothing from other hosts, and lists every setting."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from stack.home import PROJECT
from stack.settings_page import PAGE, settings_page
from tests.browsers import started_browser

# These mark the platform's own processes; they are not settings.
_NOT_SETTINGS = {"REGISTRU_STACK", "REGISTRU_"}


# A path of the repository in backticks, such as `api/main.py` or `pipeline/defs/`.
_PACKAGES = "api|benchmarks|deploy|gateway|pipeline|stack|standin|telemetry|tests|warehouse"
_PATH_IN_DOCS = re.compile(rf"`((?:{_PACKAGES})/[\w./-]+)`")


@pytest.fixture(scope="module")
def built(starts_stores: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built in strict mode."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class _SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@pytest.fixture
def served(built: Path) -> Iterator[str]:
    """The URL at which the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_SilentHandler, directory=str(built))) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.usefixtures("starts_browser")
def test_site_draws_diagrams_without_requests_to_other_hosts(served: str, tmp_path: Path) -> None:
    with started_browser(tmp_path / "profile", logs={"performance": "ALL"}) as browser:
        for page in ("/", "/security/"):
            browser.get(served + page)
            WebDriverWait(browser, 120).until(
                # The theme replaces the text by a diagram in a closed shadow root.
                lambda driver: driver.find_elements(By.CSS_SELECTOR, "div.mermaid"),
                "no diagram was drawn",
            )
        events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]  # type: ignore[no-untyped-call]
    requested = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    hosts = {urlsplit(url).netloc for url in requested if url.startswith(("http", "ws"))}
    assert hosts == {urlsplit(served).netloc}


def test_every_page_is_in_the_menu_and_has_its_images(built: Path) -> None:
    pages = {path.stem for path in (PROJECT / "docs").glob("*.md")} - {"index"}
    assert {page for page in pages if not (built / page / "index.html").exists()} == set()
    menu = (PROJECT / "mkdocs.yml").read_text()
    assert {page for page in pages if not re.search(rf"^\s+- [^#\n]*\b{page}\.md$", menu, re.M)} == set()
    for page in built.rglob("*.html"):
        for source in re.findall(r'<img[^>]* src="([^":]+)"', page.read_text()):
            assert (page.parent / source).resolve().exists(), (page, source)


@pytest.fixture(scope="module")
def settings(starts_stores: None) -> str:
    """The page of settings as the code makes it. It imports Dagster, which runs the program `file` when imported."""
    return settings_page()


def test_settings_page_is_up_to_date(settings: str) -> None:
    assert PAGE.read_text() == settings, "run `python -m stack.settings_page`"


def test_settings_page_lists_every_setting_in_the_code(settings: str) -> None:
    places = ("api", "pipeline", "warehouse", "stack", "gateway", "dagster_home", "workspace.yaml")
    files = [
        path
        for place in places
        for path in ([PROJECT / place] if (PROJECT / place).is_file() else (PROJECT / place).rglob("*"))
        if path.suffix in (".py", ".yaml", "") and path.is_file()
    ]
    named = {name for path in files for name in re.findall(r"\bREGISTRU_[A-Z_]+\b", path.read_text())}
    assert {
        name for name in named - _NOT_SETTINGS if f"`{name.removeprefix('REGISTRU_')}`" not in settings
    } == set()


def test_paths_named_in_the_documentation_exist() -> None:
    pages = [*(PROJECT / "docs").glob("*.md"), PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"]
    missing = {
        f"{page.name}: {path}"
        for page in pages
        if page.name != "changelog.md"  # it names what was renamed
        for path in _PATH_IN_DOCS.findall(page.read_text(encoding="utf-8"))
        if not (PROJECT / path).exists()
    }
    assert missing == set()
