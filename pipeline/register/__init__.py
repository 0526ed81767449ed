"""Sweeps of the register: a list of companies is read page by page, and its companies become tracked.

The list is the site's own or the bulk file of the national register.
"""
