"""The version of the transformation.

Use it as `version.TRANSFORM_VERSION`, so that a test can patch it in one place.
"""

TRANSFORM_VERSION = 3
"""Increase it by one whenever the output for the same capture can change; the records become stale then."""
