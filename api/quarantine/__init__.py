"""Captures that could not be transformed."""
