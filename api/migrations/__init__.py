"""Migrations of the API's own database (Alembic)."""

from pathlib import Path

SCRIPTS = Path(__file__).parent
