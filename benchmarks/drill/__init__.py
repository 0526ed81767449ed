"""The fault drill: it kills, pauses and restarts each part of the platform under load, and records what clients see."""
