"""The manifest of the day's flights as an airline would send it: a CSV with a few rows nobody can use."""

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consumers.demo.dataset import Flight

CHUNK_BYTES: Final = 8_000
CHUNKS_PER_JOB: Final = 2
_HEADER: Final = "day,carrier,flight,passengers,baggage_kg\n"
_BAD_EVERY: Final = 97


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file that was written, and what reading it in chunks must come to."""

    path: Path
    sha256: str
    chunks: int

    @property
    def chunk_jobs(self) -> int:
        """Jobs that read it: a job hands on after its chunks, and the last one finds the end."""
        return self.chunks // CHUNKS_PER_JOB + 1


def write_manifest(path: Path, flights: Iterable[Flight], *, seed: int = 2013) -> ManifestFile:
    """Write the manifest of flights to `path`."""
    dice = random.Random(seed)
    lines = [_HEADER, *(_line(flight, number, dice) for number, flight in enumerate(flights, start=1))]
    content = "".join(lines).encode()
    path.write_bytes(content)
    return ManifestFile(path, hashlib.sha256(content).hexdigest(), chunks_of(map(len, lines)))


def chunks_of(line_bytes: Iterable[int]) -> int:
    """A chunk ends with the line that fills it."""
    chunks, used = 0, 0
    for size in line_bytes:
        used += size
        if used >= CHUNK_BYTES:
            chunks, used = chunks + 1, 0
    return chunks + (used > 0)


def _line(flight: Flight, number: int, dice: random.Random) -> str:
    passengers = "?" if number % _BAD_EVERY == 0 else str(dice.randint(20, 180))
    baggage_kg = f"{dice.uniform(300, 4000):.1f}"
    return f"{flight.day},{flight.carrier},{flight.number},{passengers},{baggage_kg}\n"
