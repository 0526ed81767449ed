"""Authentication and authorization: passwords, sessions, tokens, roles, and the gate before every endpoint."""
