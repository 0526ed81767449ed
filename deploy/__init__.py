"""Programs for containers: the preparation of the databases, and health checks."""
