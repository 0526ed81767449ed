"""Checks that the databases have the schema that this version of the API needs."""

import logging
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.migrations import SCRIPTS
from warehouse.schema.database_roles import USERS_DATABASE, WAREHOUSE_DATABASE
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS, SchemaMismatch, check_schema

logger = logging.getLogger(__name__)


async def check_schemas(*, users: AsyncEngine, warehouse: AsyncEngine) -> None:
    """Raise SchemaMismatch if a database is older than this version needs; warn if one is newer.

    In an upgrade of several servers, the databases are migrated first. A server that still runs the old version may
    restart then, and must accept the newer schema. A database that does not answer does not prevent the start: requests
    that need it get 503 until it answers.
    """
    await _check(users, USERS_DATABASE, SCRIPTS)
    await _check(warehouse, WAREHOUSE_DATABASE, WAREHOUSE_MIGRATIONS)


async def _check(engine: AsyncEngine, database: str, scripts: Path) -> None:
    try:
        async with engine.connect() as connection:
            newer = await connection.run_sync(
                check_schema, database=database, scripts=scripts, may_be_newer=True
            )
    except SchemaMismatch as mismatch:
        logger.error("%s", mismatch)
        raise
    except (DBAPIError, OSError, TimeoutError) as error:
        logger.warning("the schema of the database %s could not be checked: %s", database, error)
        return
    if newer:
        logger.warning("%s; this version keeps serving until it is replaced", newer)
