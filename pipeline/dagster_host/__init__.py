"""Plug-ins and processes of the Dagster instance: launchers, run coordinator, storage, webserver guard, run server."""
