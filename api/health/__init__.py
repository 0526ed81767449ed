"""Whether the platform's parts answer."""
