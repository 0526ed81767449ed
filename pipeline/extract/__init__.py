"""Extraction: visits companies' pages and returns captures. Contains the throttle and no Dagster code."""
