"""Fills the warehouse: extract, load, transform, under Dagster."""
