"""What hosts Dagster: plug-ins that dagster.yaml names, the guarded webserver, and the server that forks runs."""
