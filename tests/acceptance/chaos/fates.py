"""What becomes of a piece of work, decided by its name alone: the tasks obey it, the account expects it."""

import zlib
from dataclasses import dataclass

from schemas.job import JobState

MANY = 50  # tries enough for any number of lost workers


@dataclass(frozen=True, slots=True)
class Fate:
    """The attempt that ends it, how, and how long each one takes."""

    attempts: int
    state: JobState
    seconds: float


def fate_of(task: str, of: str) -> Fate:
    """One job in eight is retried, one in fifty is a dead letter, one in a hundred is dropped."""
    number = zlib.crc32(f"{task} {of}".encode())
    dice, pace = number % 1000, number // 1000 % 1000
    seconds = 0.001 * (pace % 40) if pace < 800 else 0.001 * pace
    if dice < 90:
        return Fate(2, JobState.COMPLETED, seconds)
    if dice < 120:
        return Fate(3, JobState.COMPLETED, seconds)
    if dice < 130:
        return Fate(2, JobState.FAILED, seconds)
    if dice < 140:
        return Fate(1, JobState.FAILED, seconds)
    if dice < 150:
        return Fate(1, JobState.DISCARDED, seconds)
    return Fate(1, JobState.COMPLETED, seconds)
