"""What is measured, for Prometheus: this API's own counts, and the platform as its stores and Dagster show it."""
