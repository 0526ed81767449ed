"""Bytes that captures cost in PostgreSQL, beside a row with everything in it a capture, and gzip files."""
