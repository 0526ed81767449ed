"""Many companies asked for at once."""
