"""What the pipeline writes to the warehouse: captures, records with their history, the quarantine, retention."""
