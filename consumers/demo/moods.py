"""How often a server of the demo misbehaves, and how: drawn from a seed, so that two runs are alike."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

FINE = "fine"


@dataclass(slots=True)
class Moods:
    """Draws a mood for each call. `chances` are of everything that is not fine, and sum to less than 1."""

    chances: Mapping[str, float]
    seed: int = 2013
    _dice: random.Random = field(init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        if not 0 <= sum(self.chances.values()) < 1:
            raise ValueError(f"chances sum to {sum(self.chances.values())}, expected less than 1")
        self._dice = random.Random(self.seed)

    def next(self) -> str:
        """The mood of the next call. Servers ask from several threads."""
        with self._lock:
            drawn = self._dice.random()
        for mood, chance in self.chances.items():
            drawn -= chance
            if drawn < 0:
                return mood
        return FINE


def one_in(text: str, count: int) -> bool:
    """Whether a text is one of the chosen, the same every time: some trouble is for good."""
    return random.Random(text).random() < 1 / count
