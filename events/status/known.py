"""What is known beside the database: how far reading is, how many jobs there are, what workers announce."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from events.status.announced import Announced
from events.status.store import Partition
from events.topics import Kind


class Progress(NamedTuple):
    """What a step of reading changed. Goes between processes.

    `ids`: jobs, and `command/<id>` of answers. `positions`: the next offset of a partition. `counts`: totals,
    by lane. `announced`: kind, key and value of records of small topics. `places`: every partition that is
    followed, when they changed. `fresh_at`: when all that there was is read by now, on the monotonic clock.
    `anew`: nothing told before counts; what workers announced stays. `write`: the number of the newest write
    of the store, which it belongs to.
    """

    ids: Collection[str] = ()
    positions: Mapping[Partition, int] = {}
    counts: Mapping[bytes, int] = {}
    announced: Sequence[tuple[Kind, bytes | None, bytes | None]] = ()
    places: frozenset[Partition] | None = None
    fresh_at: float | None = None
    anew: bool = False
    write: int = 0


Tell = Callable[[Progress], None]


class Known:
    """Written by one thread, read by any."""

    def __init__(self) -> None:
        self.positions: dict[Partition, int] = {}
        self.counts: dict[bytes, int] = {}
        self.announced = Announced()
        self.places: frozenset[Partition] = frozenset()
        self.fresh_at: float | None = None

    def take(self, progress: Progress) -> None:
        """Note a step. What it says must be in the database by now."""
        if progress.anew:
            self.positions, self.counts = dict(progress.positions), dict(progress.counts)
        else:
            self.positions.update(progress.positions)
            self.counts.update(progress.counts)
        for kind, key, value in progress.announced:
            self.announced.add(kind, key, value)
        if progress.places is not None:
            self.places = progress.places
        if progress.fresh_at is not None:
            self.fresh_at = progress.fresh_at
