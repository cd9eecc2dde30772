"""New ids of jobs: random UUIDs (version 4), many drawn from the system at once: one alone is slow."""

import os
import threading
import uuid
from typing import Final

_IDS_AT_ONCE: Final = 256

_lock = threading.Lock()
_entropy = bytearray()


def new_id() -> str:
    """An id nobody else has. Safe from any thread; a forked child must draw its own, and does."""
    with _lock:
        if len(_entropy) < 16:
            _entropy[:] = os.urandom(16 * _IDS_AT_ONCE)
        drawn = bytes(_entropy[-16:])
        del _entropy[-16:]
    return str(uuid.UUID(bytes=drawn, version=4))


os.register_at_fork(after_in_child=_entropy.clear)
