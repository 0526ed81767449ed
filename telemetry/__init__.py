"""What the processes of the platform tell about themselves: log lines, counts, traces. Both sides share it."""
