"""What processes report about themselves: log lines, counts and traces. The API and the pipeline share it."""
