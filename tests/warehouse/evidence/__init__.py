"""Tests of evidence: hashing, reading and exporting captures."""
