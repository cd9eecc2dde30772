"""How much memory an attempt may take, where the system can say so.

RLIMIT_DATA counts the private memory a process can write to. RLIMIT_AS would count all address space, most of
which libraries reserve and never use; watching the resident size comes too late for an attempt that takes a
gigabyte in a tenth of a second. A handler at its limit gets a MemoryError and the child lives on.
"""

import sys

if sys.platform != "win32":
    import resource


def limit(bytes: int | None) -> None:
    """From now on this process may take so much; None takes the limit away again."""
    if sys.platform == "win32":
        return
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = hardest if bytes is None else bytes
    if hardest != resource.RLIM_INFINITY:
        wanted = min(wanted, hardest)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hardest))
