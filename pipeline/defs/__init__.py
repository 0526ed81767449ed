"""The pipeline's Dagster definitions: assets, ops, jobs, schedules, checks and resources."""
