"""How long backups and restores take, compared with pg_dump and pg_restore alone."""
