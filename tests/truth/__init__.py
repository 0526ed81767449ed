"""Pages with the facts that a careful person would take from them, and the score of the reader on these pages."""
