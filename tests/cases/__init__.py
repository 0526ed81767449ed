"""Captured pages stored as test cases, and the tool that stores one; it replaces personal data."""
