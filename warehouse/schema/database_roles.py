"""The names of databases and roles. Owners migrate; the other roles have only the privileges that they need."""

WAREHOUSE_DATABASE = "warehouse"
USERS_DATABASE = "users"
DAGSTER_DATABASE = "dagster"

WAREHOUSE_OWNER = "warehouse_owner"
USERS_OWNER = "users_owner"
PIPELINE = "pipeline"
API = "api"
DAGSTER = "dagster"

LOGIN_ROLES = (WAREHOUSE_OWNER, USERS_OWNER, PIPELINE, API, DAGSTER)

OWNERS = {
    WAREHOUSE_DATABASE: WAREHOUSE_OWNER,
    USERS_DATABASE: USERS_OWNER,
    DAGSTER_DATABASE: DAGSTER,
}
"""The role that owns each database."""

CONNECTS = {
    WAREHOUSE_DATABASE: (PIPELINE, API),
    USERS_DATABASE: (API,),
    DAGSTER_DATABASE: (),
}
"""The other roles that may connect to each database."""
