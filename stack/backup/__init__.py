"""Backups of the three databases: made, verified, restored."""
