"""The labels and terms that pages use in Romanian, Russian and English, and the field or value each one stands for."""
