"""Extraction compared with a bare Selenium loop and Playwright: companies a second and CPU seconds per page."""
