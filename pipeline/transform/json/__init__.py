"""Readers of the JSON bodies that a company's page fetched from the source's API."""
