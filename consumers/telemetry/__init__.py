"""Seeing what the worker does: log lines, metrics, health. Telemetry may fail, a job may not."""
