"""The version of the transformation.

Use it as `version.TRANSFORM_VERSION`, so that a test can patch it in one place.
"""

TRANSFORM_VERSION = 4
"""Increase this number by one whenever the same capture can yield another output. All stored records are stale then."""
