"""Where a schedule's cursor lives: one record of `A.jobs.retry`, in a partition its name decides.

The owner of that partition fires the schedule, so there is no leader to elect and none to lose.
"""

import zlib

from schemas.state import SCHEDULE_PREFIX


def schedule_partition(name: str, partitions: int) -> int:
    """The partition of `A.jobs` that holds the cursor and takes commands: CRC-32 of the name as UTF-8."""
    return zlib.crc32(name.encode()) % partitions


def cursor_key(name: str) -> bytes:
    """The key of the cursor in the retry topic."""
    return SCHEDULE_PREFIX + name.encode()


def schedule_of(key: bytes) -> str:
    """The schedule whose cursor has this key. Raises `ValueError` for a key that is none."""
    if not key.startswith(SCHEDULE_PREFIX):
        raise ValueError(f"{key[:60]!r} is no key of a schedule")
    return key[len(SCHEDULE_PREFIX) :].decode()
