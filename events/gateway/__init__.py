"""The HTTP gateway: jobs and events in, state and commands, for callers without a Kafka client.

It reads what workers announce in Kafka and never imports task code. `app.create_app` puts it together.
"""
