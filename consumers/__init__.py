"""Background jobs on Kafka. What a task module needs is here.

>>> from consumers import task, Context, Retry
"""
