"""Which partition a key belongs to: as in Java's client and aiokafka (murmur2), in a third of the time."""

import random
from collections.abc import Sequence
from struct import pack, unpack
from typing import Final

_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_TOGETHER: Final = 16  # keys from which on hashing them together pays
_MOST_TOGETHER: Final = 1_000


def by_key(key: bytes | None, all_partitions: Sequence[int], available: Sequence[int]) -> int:
    """aiokafka's `partitioner`: without a key any that has a leader."""
    if key is None:
        return random.choice(available or all_partitions)
    return all_partitions[partition_of(key, len(all_partitions))]


def partition_of(key: bytes | None, count: int) -> int:
    """Where a key belongs among `count` partitions; anywhere without one. `count` of 0 is one."""
    if count <= 1:
        return 0
    return random.randrange(count) if key is None else (_murmur2(key) & 0x7FFFFFFF) % count


def partitions_of(keys: Sequence[bytes | None], count: int) -> list[int]:
    """`partition_of` each key, in a fifth of the time where many are of one length, as ids of jobs are."""
    found = [-1] * len(keys)
    by_length: dict[int, list[int]] = {}
    for index, key in enumerate(keys):
        if key is None or count <= 1 or len(key) < 4:
            found[index] = partition_of(key, count)
        else:
            by_length.setdefault(len(key), []).append(index)
    for length, indices in by_length.items():
        for at in range(0, len(indices), _MOST_TOGETHER):
            some = indices[at : at + _MOST_TOGETHER]
            if len(some) < _TOGETHER:
                for index in some:
                    found[index] = partition_of(keys[index], count)
                continue
            hashes = _murmur2_together([keys[index] or b"" for index in some], length)
            for index, hashed in zip(some, hashes, strict=True):
                found[index] = (hashed & 0x7FFFFFFF) % count
    return found


def _murmur2(data: bytes) -> int:
    """As aiokafka's, word by word instead of byte by byte."""
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for word in unpack(f"<{whole >> 2}I", data[:whole]):
        k = (word * _M) & _MASK
        h = ((h * _M) & _MASK) ^ (((k ^ (k >> 24)) * _M) & _MASK)
    if length > whole:
        h = ((h ^ int.from_bytes(data[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


def _murmur2_together(keys: Sequence[bytes], length: int) -> Sequence[int]:
    """`_murmur2` of keys of one length, all at once: each in its 64 bits of one large integer.

    A product of two 32-bit numbers fits into those, so nothing spills into the neighbour before the mask.
    """
    n = len(keys)
    each = int.from_bytes(pack("<Q", 1) * n, "little")
    mask = each * _MASK
    per_key, rest = divmod(length, 4)
    words = unpack("<" + (f"{per_key}I{rest}x" if rest else f"{per_key}I") * n, b"".join(keys))
    h = each * (_SEED ^ length)
    for place in range(per_key):
        k = int.from_bytes(pack(f"<{n}Q", *words[place::per_key]), "little")
        k = (k * _M) & mask
        k = ((k ^ ((k >> 24) & mask)) * _M) & mask
        h = ((h * _M) & mask) ^ k
    if rest:
        last = [int.from_bytes(key[-rest:], "little") for key in keys]
        h = ((h ^ int.from_bytes(pack(f"<{n}Q", *last), "little")) * _M) & mask
    h = ((h ^ ((h >> 13) & mask)) * _M) & mask
    return unpack(f"<{n}Q", ((h ^ ((h >> 15) & mask)) & mask).to_bytes(8 * n, "little"))
