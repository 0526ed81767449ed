"""Alembic's entry point for the API's own database."""

from alembic import context

from warehouse.schema.alembic_runner import run_online

run_online(context)
