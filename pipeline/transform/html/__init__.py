"""Read the facts of a company from rendered HTML."""
