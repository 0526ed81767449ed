"""Dagster, as the API and the command line use it."""
