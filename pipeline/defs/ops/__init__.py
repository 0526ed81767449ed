"""The ops behind the assets: thin shells around plain functions."""
