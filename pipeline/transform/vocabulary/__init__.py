"""The source's labels and terms with their meanings, in Romanian, Russian and English."""
