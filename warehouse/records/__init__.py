"""Company records: their models, the queries that load them, their history and their cached form."""
