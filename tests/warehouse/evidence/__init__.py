"""Evidence: hashed, read back, exported."""
