"""Why the read model gives no answer."""

from events.errors import EventsError


class Behind(EventsError):
    """Reading is behind Kafka and did not catch up in time; ask again, or another replica."""
