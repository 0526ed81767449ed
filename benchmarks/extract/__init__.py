"""What a company costs us, beside a bare Selenium loop and Playwright: companies a second and CPU seconds a page."""
