"""From `POST /scrape/` to the data, beside a bare script, and beside Dagster's own launcher."""
