"""The database schema: tables, roles, provisioning, migrations, and the check that the schema fits the code."""
