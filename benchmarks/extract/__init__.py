"""Benchmark of extraction, compared with a bare Selenium loop and Playwright: companies per second, CPU per page."""
