"""Backups of the three databases: writing, verifying, restoring."""
