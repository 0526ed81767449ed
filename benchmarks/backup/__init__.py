"""How long backups and restores take, beside pg_dump and pg_restore alone."""
