"""New ids of jobs: random UUIDs (version 4), many drawn from the system at once: one alone is slow."""

import os
from collections import deque
from typing import Final

from schemas.job import uuid_text

_IDS_AT_ONCE: Final = 256
_BYTES: Final = 16

_ready: deque[str] = deque()


def new_id() -> str:
    """An id nobody else has. Safe from any thread; a forked child must draw its own, and does."""
    while True:
        try:
            return _ready.pop()
        except IndexError:
            _ready.extend(_drawn())


def _drawn() -> list[str]:
    digits = os.urandom(_BYTES * _IDS_AT_ONCE).hex()
    return [uuid_text(digits[at : at + 2 * _BYTES], 4) for at in range(0, len(digits), 2 * _BYTES)]


os.register_at_fork(after_in_child=_ready.clear)
