"""The Dagster layer: assets, ops, resources, jobs, schedules and checks, thin shells around plain functions."""
