"""Batches: many companies requested at once."""
