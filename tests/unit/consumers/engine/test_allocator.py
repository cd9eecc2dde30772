import subprocess
import sys

import pytest

_GROWN = """
import sys
from consumers.engine.allocator import return_what_is_free
if sys.argv[1] == "mended":
    return_what_is_free()

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

bytearray(8 << 20)  # freed at once: by itself malloc now keeps blocks of this size
before = resident()
large = [bytearray(b"x") * (1 << 20) for _ in range(50)]
kept = bytearray(b"x") * 100_000  # stands behind them on the heap
del large
print(resident() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_freed_blocks_are_returned_though_something_small_stands_behind_them():
    def left(how):
        answer = subprocess.run(
            [sys.executable, "-c", _GROWN, how], capture_output=True, text=True, check=True
        )
        return int(answer.stdout)

    assert left("mended") < 5 << 20
