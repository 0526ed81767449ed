"""What admins do: manage accounts, read the audit log."""
