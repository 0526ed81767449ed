"""What is stored: tables, migrations, the queries both sides need, and the names they share."""
