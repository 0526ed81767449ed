"""What containers run beside the platform's own programs: the preparation of the databases, and health checks."""
