"""Alembic's entry point for the warehouse."""

from alembic import context

from warehouse.migrate import run_online

run_online(context)
