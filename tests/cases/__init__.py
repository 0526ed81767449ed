"""Captured pages kept as cases, and the tool that keeps one: personal data is replaced on the way."""
