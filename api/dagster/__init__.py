"""The client of Dagster's GraphQL."""
