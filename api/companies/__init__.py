"""Records of companies, their history, their provenance and their financial statements."""
