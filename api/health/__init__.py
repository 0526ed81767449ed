"""Health checks of the platform's parts."""
