"""Stored data: tables, migrations, queries, evidence and settings that the pipeline and the API share."""
