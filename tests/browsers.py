"""A browser with which tests use pages as a person does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.ui import WebDriverWait

from stack.chrome import find_chrome


@contextmanager
def started_browser(
    profile: Path, *, window: tuple[int, int] = (1400, 900), logs: Mapping[str, str] | None = None
) -> Iterator[Chrome]:
    """Start a browser with a new profile; `logs` maps the logs for `get_log` to their levels."""
    chrome, options = find_chrome(), ChromeOptions()
    options.binary_location = str(chrome.binary)
    options.web_socket_url = True  # without BiDi, chromedriver finds no tab in a headless shell
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={window[0]},{window[1]}")
    options.add_argument(f"--user-data-dir={profile}")
    if logs:
        options.set_capability("goog:loggingPrefs", dict(logs))
    driver = Chrome(options=options, service=ChromeService(str(chrome.driver)))
    try:
        yield driver
    finally:
        driver.quit()


def forget_sites(browser: Chrome, *origins: str) -> None:
    """Leave the page; delete all cookies, and what the pages of these origins stored. Cached files remain."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    for origin in origins:
        browser.execute_cdp_cmd(
            "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage,indexeddb"}
        )


def text_of(browser: Chrome) -> str:
    """Return the visible text of the page."""
    return str(browser.execute_script("return document.body ? document.body.innerText : ''"))


def see(browser: Chrome, text: str) -> None:
    """Wait until the page shows a text."""
    wait_in(browser, lambda driver: text in text_of(driver), f"no {text!r} on the page")


def wait_in(browser: Chrome, condition: Callable[[Chrome], bool], message: str) -> None:
    """Wait until a condition holds in the page; WebDriver errors, as during a navigation, are ignored."""
    wait = WebDriverWait(browser, 120, poll_frequency=0.2, ignored_exceptions=[WebDriverException])
    wait.until(condition, message)
