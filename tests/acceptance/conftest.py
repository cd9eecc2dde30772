"""A Kafka of their own for tests of the whole product."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from events.broker import LocalBroker


@pytest.fixture
def chaos_broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """Started, and gone with the test."""
    broker = LocalBroker(data_dir=tmp_path / "broker").start()
    yield broker
    broker.erase()
