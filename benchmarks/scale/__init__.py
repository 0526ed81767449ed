"""Benchmark of the platform's operations at different numbers of stored companies: how much do they slow down?"""
