"""Accounts: creation, changes, deletion."""
