from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from events.gateway.seen import Depths, First, SeenRequests, UsedKeys

PLACE = TopicPartition("app.jobs", 0)


def _first(body: str, ms: int = 0) -> First:
    return First(body, ms, PLACE, 0)


def test_the_first_request_of_a_key_wins_while_its_time_lasts() -> None:
    keys = UsedKeys(lifetime_ms=100, most=10)
    keys.add("job", _first("a"))
    keys.add("job", _first("b", 99))
    assert keys.find("job", 99) == _first("a")
    assert keys.find("job", 100) is None
    keys.add("job", _first("b", 100))
    assert keys.find("job", 150) == _first("b", 100)


def test_the_oldest_keys_go_when_there_are_too_many() -> None:
    keys = UsedKeys(lifetime_ms=100, most=2)
    for name in ("one", "two", "three"):
        keys.add(name, _first(name))
    assert len(keys) == 2
    assert [keys.find(name, 0) is not None for name in ("one", "two", "three")] == [False, True, True]


def test_depth_is_what_is_read_and_not_committed() -> None:
    depths = Depths()
    depths.add(PLACE, [(10, b"a"), (11, b"b")])
    depths.add(PLACE, [(12, b"a")])
    assert (depths.of("app.jobs", "a"), depths.of("app.jobs", "b"), depths.of("app.jobs")) == (2, 1, 3)
    depths.committed(PLACE, 11)
    assert (depths.of("app.jobs", "a"), depths.of("app.jobs")) == (1, 2)
    depths.committed(PLACE, 5)
    assert depths.of("app.jobs") == 2, "a commit never takes back"
    depths.add(PLACE, [(20, b"a")])  # offsets between are markers of transactions
    assert depths.of("app.jobs") == 3
    depths.committed(PLACE, 30)
    assert (depths.of("app.jobs"), depths.of("app.jobs", "a"), depths.of("other", "a")) == (0, 0, 0)
    depths.add(PLACE, [(25, b"a"), (29, b"a")])
    assert depths.of("app.jobs") == 0, "done before it was read"
    depths.add(PLACE, [(29, b"a"), (30, b"a"), (33, b"b")])
    assert (depths.of("app.jobs"), depths.of("app.jobs", "a")) == (2, 1)


def test_headers_say_it_all() -> None:
    seen = SeenRequests(UsedKeys(lifetime_ms=100, most=10), Depths())
    seen.take(PLACE, [_record(0, "job", "send"), _record(1, "keyed", "send", "hash"), _record(2, "odd")])
    assert seen.depths.of("app.jobs", "send") == 2
    assert seen.keys.find("job", 0) is None
    assert seen.keys.find("keyed", 0) == First("hash", 7, PLACE, 1)


def _record(offset: int, id: str, task: str | None = None, body: str | None = None) -> Any:
    headers = [("ce_id", id.encode()), ("empty", None)]
    headers += [("ce_subject", task.encode())] if task else []
    headers += [("headrace-idempotency", body.encode())] if body else []
    return SimpleNamespace(offset=offset, headers=headers, timestamp=7)
