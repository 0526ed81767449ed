"""Settings and secrets: where they come from, how they are checked, how they are read again while a process runs."""
