"""Alembic's entry point for the warehouse."""

from alembic import context

from warehouse.schema.alembic_runner import run_online

run_online(context)
