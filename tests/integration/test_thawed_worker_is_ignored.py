"""A worker frozen past its session and thawed: it writes nothing of what it did, and lives on."""

import signal
from pathlib import Path

from events.topics import ledger_topic
from schemas.state import decode_state, is_fence
from tests.integration.consuming import records_of
from tests.integration.observing import notes, topic_of
from tests.integration.steering import (
    asks,
    publish_spread,
    running,
    starts,
    steered,
    until_finished,
    until_started,
)
from tests.waiting import until


async def test_a_thawed_worker_writes_nothing(broker: str, app_id: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    events = asks(20, gate=str(gate))
    frozen, other = (steered(broker, app_id, tmp_path, name) for name in "ab")
    async with running(frozen):
        await publish_spread(broker, app_id, events)
        await until_started(tmp_path, events)
        assert frozen.process is not None
        frozen.process.send_signal(signal.SIGSTOP)
        async with running(other):
            await until(lambda: min(starts(tmp_path).values()) == 2, within_seconds=60)
            gate.touch()
            records = await until_finished(broker, app_id, events)
            frozen.process.send_signal(signal.SIGCONT)

            def has_ended_them() -> bool:
                ended = [note for note in notes(tmp_path, "ended") if note.pid == frozen.process.pid]  # type: ignore[union-attr]
                return len(ended) == len(events)

            await until(has_ended_them, within_seconds=60)
            await until(frozen.ready, within_seconds=60, saying="ready again without a restart")
            later = asks(20, name="later")
            await publish_spread(broker, app_id, later)
            await until_finished(broker, app_id, later)
    assert {record.document["attempt"] for record in records.values()} <= {1, 2}
    assert set(starts(tmp_path).values()) == {1, 2}
    assert {starts(tmp_path)[event.id] for event in later} == {1}
    written = await records_of(broker, ledger_topic(app_id, topic_of(app_id)))
    owner = None
    for record in written:
        assert record.value is not None
        state = decode_state(record.value)
        if is_fence(record.key):
            owner = state.writer
        else:
            assert state.writer == owner, "nobody but the owner has written"
    assert frozen.process.returncode == 0
