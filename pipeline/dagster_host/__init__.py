"""The processes that host Dagster (webserver, run server, Celery worker), and the plug-ins that dagster.yaml names."""
