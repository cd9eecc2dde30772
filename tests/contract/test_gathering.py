"""What events/gathering.py sets in aiokafka, and when."""

from types import SimpleNamespace

from aiokafka.consumer.fetcher import Fetcher

from events.gathering import GATHER_BYTES, GATHER_MS, Gathering
from tests.contract.stock import Stock

stock = Stock("events/gathering.py")


def test_every_request_asks_anew_how_long_to_wait_and_for_how_much() -> None:
    stock.sets(Fetcher, "_fetch_min_bytes", "_fetch_max_wait_ms")
    stock.says(Fetcher._get_actions_per_node, "self._fetch_max_wait_ms,", "self._fetch_min_bytes,")


def test_the_first_record_after_a_pause_is_told_at_once() -> None:
    fetcher = SimpleNamespace()
    gathering = Gathering(SimpleNamespace(_fetcher=fetcher), idle_wait_ms=250)
    asked = []
    for anything in (False, True, True, False):
        gathering.took(anything)
        asked.append((fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms))
    assert asked == [(1, 250), (GATHER_BYTES, GATHER_MS), (GATHER_BYTES, GATHER_MS), (1, 250)]
