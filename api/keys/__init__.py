"""API keys: how machines sign in."""
