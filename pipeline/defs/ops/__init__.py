"""The ops of jobs and assets: thin shells around plain functions."""
