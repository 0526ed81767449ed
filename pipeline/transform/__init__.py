"""Pure functions from the bytes of a capture to a company's facts: no Dagster, no network, no database."""
