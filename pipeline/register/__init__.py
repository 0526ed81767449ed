"""Sweeps of the register: lists of companies (the site's own, or the bulk file) are read page by page and tracked."""
