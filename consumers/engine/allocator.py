"""Memory that is free goes back to the system: what glibc's malloc is told by a worker.

By itself it raises its thresholds to twice the largest block that was ever freed, up to 64 MB, and what is
free behind a block in use stays: after a few large fetches a worker that once was busy is as large as it was
then. Thresholds low enough to prevent that cost up to a tenth of the throughput, as the buffers of every
fetch and every group go back and come again. So they are fixed above those, and what lies free is given back
now and then.
"""

import ctypes
import os
import sys
from typing import Any, Final

_SETTINGS: Final = (  # number in malloc.h, value, the environment variable that goes first
    (-8, 2, "MALLOC_ARENA_MAX"),
    (-1, 16 << 20, "MALLOC_TRIM_THRESHOLD_"),
    (-3, 4 << 20, "MALLOC_MMAP_THRESHOLD_"),
)


def fix_thresholds() -> None:
    """Fix malloc's thresholds, unless the environment does. Nothing happens where malloc is not glibc's."""
    library = _glibc()
    if library is None:
        return
    for number, value, variable in _SETTINGS:
        if variable not in os.environ:
            library.mallopt(number, value)


def return_what_is_free() -> None:
    """Give back every free page, wherever it lies. Takes milliseconds, without holding the GIL."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> Any:
    library: Any = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return library if hasattr(library, "malloc_trim") else None
