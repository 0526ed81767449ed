"""Benchmark of re-transformation, compared with a plain loop over the same captures."""
