"""Readers for the facts of a company in rendered HTML."""
