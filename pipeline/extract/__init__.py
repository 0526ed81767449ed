"""Extraction: from an IDNO to a capture, by way of the browser, the visit, its outcome and the throttle. No Dagster."""
