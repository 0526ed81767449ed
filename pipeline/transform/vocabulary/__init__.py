"""The source's labels: what each announces, in Romanian, Russian and English."""
