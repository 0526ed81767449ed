"""Visits with a real Chrome to pages that misbehave: the right outcome, in bounded time, without traces."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from selenium.webdriver import Chrome

from pipeline.extract.browser import chrome_session
from pipeline.extract.browser.chrome_session import Driver, chrome
from pipeline.transform.merge import transform
from standin.site_facts import make_idno
from tests.pipeline.extract.crawling import settings_for, visit
from warehouse.contract import Outcome

pytestmark = pytest.mark.usefixtures("starts_browser")

IDNO = make_idno(1)
RENDER = (
    f"const show = () => document.body.innerHTML = '<main><h1>CINEVA</h1><dl><dt>IDNO</dt><dd>{IDNO}</dd></dl></main>';"
    "const fail = text => document.body.innerHTML = '<main><h1>' + text + '</h1></main>';"
)
PAGES = {
    # The first request fails, and the page retries by itself.
    "/retries": f"<body><script>{RENDER}let n = 0; const load = () => fetch('/flaky/{IDNO}?n=' + n++).then(r =>"
    " r.ok ? show() : (fail('Eroare'), setTimeout(load, 1500))); load()</script></body>",
    # The company is shown late, while another resource is missing.
    "/beside": f"<body><script>{RENDER}fetch('/text/companies/{IDNO}').then(() => setTimeout(show, 2000));"
    f"fetch('/missing/{IDNO}/logo')</script></body>",
    # The page aborts its first request.
    "/aborts": f"<body><script>{RENDER}const c = new AbortController(); fetch('/slow/companies/{IDNO}', {{signal:"
    f" c.signal}}).catch(() => setTimeout(show, 2000)); setTimeout(() => c.abort(), 100)</script></body>",
    # The page says that the company is unknown, while a statistics request hangs and a clock ticks.
    "/ticks": f"<body><script>{RENDER}fetch('/missing/companies/{IDNO}').then(() => fail('Compania nu a fost găsită'));"
    "new Image().src = '/slow/pixel'; setInterval(() => document.title = Date.now(), 100)</script></body>",
    "/windows": f"<body><script>{RENDER}for (let i = 0; i < 5; i++) window.open('/ticks'); show()</script></body>",
    "/downloads": f"<body><script>{RENDER}const a = document.createElement('a'); a.href = 'data:,evil';"
    " a.download = 'evil.bin'; a.click(); show()</script></body>",
    # A style sheet that hides a line arrives late; a panel fades in; a list loads when it is scrolled into view.
    "/styled": f"<body><script>{RENDER}show(); document.querySelector('dl').insertAdjacentHTML('beforeend',"
    " '<dt class=x>Statut</dt><dd class=x>Radiată</dd><dt class=fade>Adresa</dt><dd class=fade>str. Pilda, 1</dd>');"
    "document.head.insertAdjacentHTML('beforeend', '<link rel=stylesheet href=/late.css>"
    "<style>.fade { animation: in 1.5s step-end } @keyframes in { from { opacity: 0 } }</style>')</script></body>",
    "/scrolled": f"<body><script>{RENDER}show(); document.querySelector('dl').insertAdjacentHTML('afterend',"
    " '<div style=height:5000px></div><section id=more>…</section>');"
    f"new IntersectionObserver(entries => entries.some(e => e.isIntersecting) && fetch('/text/companies/{IDNO}').then("
    "() => more.innerHTML = '<h2>Administratori</h2><ul><li>MODELEANU ION</li></ul>')).observe(more)</script></body>",
    "/surrogate": f"<body><script>{RENDER}show(); document.body.append('\\ud800')</script></body>",
    "/large": f"<body><script>{RENDER}show(); document.body.append('x'.repeat(5e6))</script></body>",
}


class _Site(BaseHTTPRequestHandler):
    ended = threading.Event()
    requested = threading.Event()
    """Set once a page that never arrives has been requested."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in PAGES:
            self._answer(200, "text/html; charset=utf-8", f"<!doctype html><html>{PAGES[path]}</html>")
        elif path.startswith("/flaky/"):
            self._answer(500 if self.path.endswith("n=0") else 200, "application/json", "{}")
        elif path.startswith("/text/"):
            self._answer(200, "text/plain", "not the JSON that one would expect")
        elif path == "/late.css":
            self.ended.wait(1)
            self._answer(200, "text/css", ".x { display: none }")
        elif path.startswith("/slow/"):
            self.requested.set()
            self.ended.wait(60)
        elif path == "/streams":
            self._stream()
        else:
            self._answer(404, "application/json", "{}")

    def _answer(self, status: int, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.ended.wait(0.01):
                self.wfile.write(b"<p>Adresa: str. Nimic</p>" * 100)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    _Site.ended.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def driver(starts_browser: None, url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A Chrome for all tests of this module."""
    with chrome(settings_for(tmp_path_factory.mktemp("work"), url)) as driver:
        yield driver


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        ("/retries", Outcome.OK),
        ("/beside", Outcome.OK),
        ("/aborts", Outcome.OK),
        ("/ticks", Outcome.NOT_FOUND),
        ("/windows", Outcome.OK),
        ("/surrogate", Outcome.OK),
        ("/large", Outcome.INCOMPLETE),
    ],
)
def test_page_that_misbehaves_has_the_right_outcome(
    driver: Driver, url: str, page: str, outcome: Outcome
) -> None:
    driver.set_script_timeout(14)  # a busy machine reads the large page slowly
    try:
        capture = visit(driver, url + page, IDNO)
    finally:
        driver.set_script_timeout(chrome_session.SCRIPT_TIMEOUT_SECONDS)
    assert (capture.outcome, capture.status_code) == (outcome, 200), capture.error


def test_page_is_read_as_it_looks_once_it_is_complete(driver: Driver, url: str) -> None:
    capture = visit(driver, f"{url}/styled", IDNO)
    assert capture.html is not None
    facts = transform(idno=IDNO, html=capture.html, bodies=[], look=capture.look).facts
    assert (facts.status, facts.address) == (None, "str. Pilda, 1")


def test_what_loads_on_scrolling_is_part_of_the_capture(driver: Driver, url: str) -> None:
    capture = visit(driver, f"{url}/scrolled", IDNO)
    assert capture.html is not None
    facts = transform(idno=IDNO, html=capture.html, bodies=[], look=capture.look).facts
    assert [party.name for party in facts.administrators] == ["MODELEANU ION"]


def test_document_that_never_ends_does_not_block_the_visit(driver: Driver, url: str) -> None:
    capture = visit(driver, f"{url}/streams", IDNO, timeout_seconds=4)
    assert capture.outcome in (Outcome.INCOMPLETE, Outcome.TIMEOUT)
    assert visit(driver, f"{url}/retries", IDNO).outcome is Outcome.OK


def test_windows_that_a_page_opens_do_not_remain(driver: Driver, url: str) -> None:
    visit(driver, f"{url}/windows", IDNO)
    assert len(driver.window_handles) == 1


def test_site_that_does_not_answer_is_a_network_error(driver: Driver) -> None:
    capture = visit(driver, "http://127.0.0.1:9/companies/x", IDNO)
    assert capture.outcome is Outcome.NETWORK_ERROR
    assert capture.html is None
    assert capture.status_code is None


def test_chrome_gets_no_secrets_and_writes_nothing_to_the_users_home(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with chrome(settings_for(tmp_path / "work", url)) as own:
        assert visit(own, f"{url}/downloads", IDNO).outcome is Outcome.OK
        assert isinstance(own, Chrome)
        environment = Path(f"/proc/{own.service.process.pid}/environ").read_text()
    assert list(home.iterdir()) == []
    assert "REGISTRU_" not in environment.replace("REGISTRU_STACK", "")


def test_chrome_that_dies_while_the_document_loads_is_a_browser_error(url: str, tmp_path: Path) -> None:
    with chrome(settings_for(tmp_path, url)) as driver:
        [profile] = (tmp_path / "chrome").iterdir()

        def kill() -> None:
            _Site.requested.wait(30)
            for process in psutil.process_iter(["cmdline"]):
                if f"--user-data-dir={profile}" in " ".join(process.info["cmdline"] or []):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()

        _Site.requested.clear()
        threading.Thread(target=kill).start()
        capture = visit(driver, f"{url}/slow/document", IDNO)
    assert capture.outcome is Outcome.BROWSER_ERROR
    assert capture.error
