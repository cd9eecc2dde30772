"""Jobs of one key start in offset order and never overlap, whatever fails; `order="none"` does not wait."""

from collections import defaultdict
from pathlib import Path

from tests.integration.observing import Note, event, notes
from tests.integration.steering import asks, publish_spread, running, steered, until_finished, until_started

KEYS, EVENTS = 5, 200


async def test_first_attempts_start_in_offset_order(broker: str, app_id: str, tmp_path: Path) -> None:
    events = [
        event(
            "steer.keyed",
            f"e{number}",
            failures=number % 4 == 0 and 1 + number % 3,
            defer=0.05,
            seconds=0.01 * (number % 3),
        )
        for number in range(EVENTS)
    ]
    async with running(steered(broker, app_id, tmp_path)):
        await publish_spread(broker, app_id, events, keys=KEYS)
        await until_finished(broker, app_id, events)
    by_key: dict[str, list[Note]] = defaultdict(list)
    for note in notes(tmp_path):
        by_key[note.facts["key"]].append(note)
    assert len(by_key) == KEYS
    for lane in by_key.values():
        first = [int(note.event_id[1:]) for note in lane if note.what == "started" and note.attempt == 1]
        assert first == sorted(first)
        # Written by one process in order, so that start and end of an attempt stand side by side.
        for started, ended in zip(lane[::2], lane[1::2], strict=True):
            assert (started.what, ended.what) == ("started", "ended")
            assert (started.job_id, started.attempt) == (ended.job_id, ended.attempt)


async def test_a_lane_holds_up_nobody_else(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    blocked = asks(3, "steer.keyed", name="blocked", gate=str(gate))
    loose = asks(3, name="loose", gate=str(gate))
    other_keys = asks(4, "steer.keyed", name="other")
    async with running(steered(broker, app_id, tmp_path)):
        await publish_spread(broker, app_id, [*blocked, *loose], keys=1)
        await until_started(tmp_path, loose)  # one key, and yet all at once
        await publish_spread(broker, app_id, other_keys)  # without a key there is no lane
        await until_finished(broker, app_id, other_keys)
        assert [note.event_id for note in notes(tmp_path, "started", task="keyed")][:1] == ["blocked0"]
        assert not {"blocked1", "blocked2"} & {note.event_id for note in notes(tmp_path, "started")}
        gate.touch()
        await until_finished(broker, app_id, [*blocked, *loose])
