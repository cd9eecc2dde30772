"""Log lines in words."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from consumers.demo.happenings import Happenings, sentence

RETRYING = {
    "event": "task_retrying", "task": "send_email", "event_id": "e1", "attempt": 1, "error": "451 busy",
    "defer_seconds": 1.25,
}  # fmt: skip

DEAD = {
    "event": "task_dead_lettered", "task": "send_email", "event_id": "e1", "error": "554", "reason": "failed",
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (RETRYING, "retrying   send_email e1: 451 busy; attempt 2 in 1.2 s"),
        (DEAD, "dead       send_email e1: 554 (failed)"),
        (
            {**DEAD, "task": "", "topic": "flights", "partition": 2, "offset": 7},
            "dead       flights 2:7: 554 (failed)",
        ),
        ({"event": "task_expired", "task": "find_gate", "event_id": "e1", "error": "full"},
         "expired    find_gate e1: full"),
        ({"event": "task_completed", "task": "find_gate"}, None),
        ({"event": "task_retrying", "task": "find_gate", "asked_by": "handler"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_trouble_is_told_and_nothing_else(line: dict[str, Any], told: str | None) -> None:
    assert sentence(line) == told


def test_each_line_is_told_once_and_half_a_line_later(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    happenings = Happenings([log])
    assert happenings.new() == []
    line = orjson.dumps(RETRYING) + b"\n"
    log.write_bytes(b"Traceback\n{no json\n" + line + line[:10])
    assert len(happenings.new()) == 1
    assert happenings.new() == []
    with log.open("ab") as file:
        file.write(line[10:])
    assert len(happenings.new()) == 1
