import subprocess
import sys

import pytest

_GROWN = """
import sys
from consumers.engine.allocator import fix_thresholds, return_what_is_free
fix_thresholds()

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

bytearray(8 << 20)  # freed at once: by itself malloc would keep blocks of this size from now on
before = resident()
large = [bytearray(b"x") * (int(sys.argv[1]) << 20) for _ in range(80 // int(sys.argv[1]))]
kept = bytearray(b"x") * 100_000  # stands behind them on the heap
del large
if sys.argv[2] == "return":
    return_what_is_free()
print(resident() - before)
"""


def _left(megabytes, then):
    command = [sys.executable, "-c", _GROWN, str(megabytes), then]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_large_blocks_are_returned_at_once():
    assert _left(8, "nothing") < 5 << 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_what_is_free_between_others_is_returned_on_request():
    assert _left(1, "nothing") > 5 << 20
    assert _left(1, "return") < 5 << 20
