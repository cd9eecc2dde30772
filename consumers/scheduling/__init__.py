"""Schedules: when they want a task to run, and which of those times are run."""
