"""Settings and secrets: their sources, their validation, and reloading them while a process runs."""
