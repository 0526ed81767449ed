"""Signing in: passwords, tokens, who is calling."""
