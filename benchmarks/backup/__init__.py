"""Benchmark of backups and restores, compared with pg_dump and pg_restore alone."""
