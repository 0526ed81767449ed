"""The HTTP API: accounts, requests for companies, and company records."""
