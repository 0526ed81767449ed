"""Read the facts of a company from the JSON that its page fetched."""
