"""New ids of jobs: random UUIDs (version 4), many drawn from the system at once: one alone is slow."""

import os
from collections import deque
from typing import Final

_IDS_AT_ONCE: Final = 256
_BYTES: Final = 16
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}

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
    return [_uuid4(digits[at : at + 2 * _BYTES]) for at in range(0, len(digits), 2 * _BYTES)]


def _uuid4(digits: str) -> str:
    first = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}"
    return f"{first}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


os.register_at_fork(after_in_child=_ready.clear)
