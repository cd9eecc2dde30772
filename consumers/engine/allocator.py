"""Memory that is free goes back to the system: what glibc's malloc is told at the start of a worker.

By itself it raises its thresholds to the largest block that was ever freed. After a few fetched batches of a
megabyte nothing is returned any more, and a worker that once was busy stays as large as it was then.
"""

import ctypes
import os
import sys
from typing import Any, Final

_SETTINGS: Final = (  # number in malloc.h, value, the environment variable that goes first
    (-8, 2, "MALLOC_ARENA_MAX"),
    (-1, 128 << 10, "MALLOC_TRIM_THRESHOLD_"),
    (-3, 128 << 10, "MALLOC_MMAP_THRESHOLD_"),
)


def return_what_is_free() -> None:
    """Fix malloc's thresholds, unless the environment does. Nothing happens where malloc is not glibc's."""
    if not sys.platform.startswith("linux"):
        return
    library: Any = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return
    for number, value, variable in _SETTINGS:
        if variable not in os.environ:
            library.mallopt(number, value)
