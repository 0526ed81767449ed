"""Requests for companies: answered from the cache, or by a scrape that a Dagster run carries out."""
