"""Companies' current records."""
