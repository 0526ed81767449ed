"""The database schema: tables, roles, provisioning, migrations, and the check that code and schema match."""
