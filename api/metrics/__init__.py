"""Metrics for Prometheus: the API's own counters, and the state of the platform in its stores and in Dagster."""
