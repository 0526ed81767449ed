"""Requests for companies: from the cache, or by a run of the pipeline."""
