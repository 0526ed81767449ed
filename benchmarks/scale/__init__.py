"""How what the platform does grows with the companies in its tables."""
