"""Stored bytes in, records out: pure, without Dagster, network or database."""

TRANSFORM_VERSION = 3
"""Grows whenever the output for the same capture can change."""
