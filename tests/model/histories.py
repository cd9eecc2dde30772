"""Where histories come from when chance alone is wanted, the same on every machine."""

import random
from collections.abc import Iterator
from typing import Final

FEWEST_STEPS: Final = 8
MOST_STEPS: Final = 40


def by_chance(seed: int, count: int) -> Iterator[bytes]:
    """So many histories."""
    chance = random.Random(seed)
    for _ in range(count):
        yield chance.randbytes(2 * chance.randint(FEWEST_STEPS, MOST_STEPS))
