"""The one entry point: accounts, requests for companies, their records, over HTTP."""
