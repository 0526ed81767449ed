"""Re-transformation, beside a plain loop over the same stored captures."""
