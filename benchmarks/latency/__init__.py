"""Benchmark of the latency of `POST /scrape/`, compared with a bare script and with Dagster's own launcher."""
