"""Tasks of `isolation="process"`: their attempts run in child processes, which can be killed and may die.

`processes.py` hands attempts out, `seat.py` is one child as the worker sees it, `child.py` what runs in it.
A child is spawned, never forked: a fork would copy locks of threads, RocksDB and the loop in any state.
"""
