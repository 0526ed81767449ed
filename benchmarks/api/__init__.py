"""Benchmark of the API's cached responses, compared with a minimal endpoint that checks a token and reads a record."""
