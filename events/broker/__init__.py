"""A Kafka to run on, for development and tests: `LocalBroker`."""

from events.broker.local import BrokerStatus, LocalBroker
from events.broker.settings import BrokerSettings

__all__ = ["BrokerSettings", "BrokerStatus", "LocalBroker"]
