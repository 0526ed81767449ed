"""Whether the databases have the tables that this version of the API was written for."""

import logging
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.migrations import SCRIPTS
from api.services import Services
from warehouse.schema.database_roles import USERS_DATABASE, WAREHOUSE_DATABASE
from warehouse.schema.revision_check import WAREHOUSE_MIGRATIONS, SchemaMismatch, check_schema

logger = logging.getLogger(__name__)


async def check_schemas(services: Services) -> None:
    """Raise SchemaMismatch if a database is older than this version needs; a newer one is let pass, with a warning.

    While several servers are brought to a new version one by one, the databases are migrated first, and who still is
    the old version may have to start again. A database that does not answer keeps nobody from starting: what needs it
    is answered with 503 until it does.
    """
    await _check(services.users, USERS_DATABASE, SCRIPTS)
    await _check(services.warehouse, WAREHOUSE_DATABASE, WAREHOUSE_MIGRATIONS)


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
        logger.warning("the database %s could not be checked: %s", database, error)
        return
    if newer:
        logger.warning("%s: this version goes on serving until it is replaced", newer)
