"""What is measured, logged and traced, seen from outside."""
