"""Benchmark of the storage of captures in PostgreSQL, compared with one row per capture and with gzip files."""
