"""Cached responses of the API, compared with the smallest endpoint that verifies the token and reads the record."""
