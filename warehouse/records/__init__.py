"""Company records: the models, the queries that load them, their history, their cached form."""
