"""Pure functions that turn the bodies of a capture into a company's facts: no Dagster, no network, no database."""
