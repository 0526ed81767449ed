"""Compares readers of the bulk register's file: openpyxl, python-calamine, and the project's own reader."""
