"""Where a test may kill a worker: named points of settlement, armed by one environment variable.

`HEADRACE_FAULT_POINT=phase_one:completed:/path` ends the process with SIGKILL the first time a job of that
outcome gets there and the file does not exist yet. Unarmed it costs one global look-up for each group.
"""

import os
import signal
from pathlib import Path
from typing import Any

POINTS = ("handler_returned", "phase_one", "phase_two", "stored", "acked")
_armed: tuple[str, str, Path] | None = None


def arm(text: str | None) -> None:
    """Read the variable's value. Raises `ValueError` when it names no point."""
    global _armed
    if not text:
        _armed = None
        return
    point, outcome, marker = text.split(":", 2)
    if point not in POINTS:
        raise ValueError(f"HEADRACE_FAULT_POINT={text!r}: wanted one of {', '.join(POINTS)}")
    _armed = (point, outcome, Path(marker))


def reached(point: str, settled: list[Any]) -> None:
    """Die here if that is what the test asked for."""
    if _armed is None or _armed[0] != point:
        return
    _, outcome, marker = _armed
    names = {type(decision).__name__.lower() for _, decision in settled}
    if outcome in names and not marker.exists():
        marker.write_text(point)
        os.kill(os.getpid(), signal.SIGKILL)
