"""The pipeline: Dagster jobs that visit companies, store captures and transform them into records."""
