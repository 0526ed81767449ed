"""The long version of the test suite: more examples and larger rounds, as the nightly workflow runs it."""

import os

LONG = os.environ.get("REGISTRU_LONG") == "1"
"""Whether tests run their long version."""


def examples(usual: int, long: int) -> int:
    """Return the number of examples that a property test tries: `usual`, or `long` in the long version."""
    return long if LONG else usual
