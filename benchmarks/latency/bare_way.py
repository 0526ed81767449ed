"""The bare script: start Chrome, load the page, wait for the company, read it, quit."""

import time
from collections.abc import Callable

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.transform.html.page_reader import read_html
from stack.chrome import find_chrome

_LONGEST_SECONDS = 30
_POLL_SECONDS = 0.02


def bare_script() -> Callable[[str, str], float]:
    """Return the script as a function, which takes the URL of a company's page and the company's IDNO.

    It returns how many seconds the script took, without the start of the interpreter and the imports.
    """
    chrome = find_chrome()
    options = ChromeOptions()
    options.binary_location = str(chrome.binary)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    # Do not wait until the document is loaded: it contains no data; the script waits for the company instead.
    options.page_load_strategy = "none"

    def fetch(url: str, idno: str) -> float:
        begun = time.perf_counter()
        driver = Chrome(options=options, service=ChromeService(str(chrome.driver)))
        try:
            driver.get(url)
            wait = WebDriverWait(driver, _LONGEST_SECONDS, poll_frequency=_POLL_SECONDS)
            wait.until(lambda page: idno in page.find_element(By.TAG_NAME, "body").text)
            read = read_html(driver.page_source, idno)
        finally:
            driver.quit()
        taken = time.perf_counter() - begun
        if read.idno != idno or not read.name:
            raise RuntimeError(f"the bare script read no company from {url}")
        return taken

    return fetch
