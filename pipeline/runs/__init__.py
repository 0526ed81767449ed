"""The work of one run, company by company: visit, store, transform, report. Contains no Dagster code."""
