"""Which offsets of one input partition are taken and not yet settled.

The watermark, the lowest offset still unsettled, is all that may ever be committed. A rebalance keeps the
trackers of partitions that come back, so `next` is also where reading goes on.
"""


class Tracker:
    """Offsets in flight on one topic partition, in the order they were taken."""

    __slots__ = ("live", "next")

    def __init__(self, next: int | None = None) -> None:
        self.live: dict[int, int] = {}  # offset → jobs of that record still to settle
        self.next = next  # first offset not taken yet; None until one was taken or committed

    def expects(self, start: int | None) -> bool:
        """Whether a batch fetched from `start` on leaves no hole behind what was taken."""
        return self.next is None if start is None else self.next is not None and start <= self.next

    def take(self, offset: int, jobs: int) -> None:
        """Hold `offset` until `jobs` settlements; with no jobs it is done at once."""
        if jobs:
            self.live[offset] = jobs
        self.next = offset + 1

    def settle(self, offset: int) -> None:
        """One job of `offset` is durable."""
        left = self.live.get(offset, 0) - 1
        if left > 0:
            self.live[offset] = left
        else:
            self.live.pop(offset, None)

    @property
    def watermark(self) -> int | None:
        """The offset that may be committed; None before anything was taken."""
        for offset in self.live:
            return offset
        return self.next

    @property
    def distance(self) -> int:
        """How far reading is ahead of the watermark, in offsets."""
        for offset in self.live:
            return (self.next or 0) - offset
        return 0
