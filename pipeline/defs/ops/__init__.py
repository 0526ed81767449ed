"""The ops of jobs and assets. Most of their work is in packages that contain no Dagster code."""
