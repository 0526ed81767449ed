"""Alembic's entry point for the API's own database."""

from alembic import context

from warehouse.migrate import run_online

run_online(context)
