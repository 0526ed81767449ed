"""Metrics, logs, traces and alerts, tested from outside the platform."""
