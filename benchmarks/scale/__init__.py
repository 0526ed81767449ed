"""How the platform's operations slow down with the number of stored companies."""
