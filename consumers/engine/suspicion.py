"""After an unclean stop: which jobs may have been running when the previous owner died.

One of them may be what killed it, so their attempts are remembered durably before they run; a job that kills
its worker is then given up after its tries, instead of taking down one owner after the other.
"""

from consumers.engine.job import Job
from schemas.state import Position


class Suspicion:
    """Suspects of one partition: offsets near the committed one, and whatever was due before it was taken
    over."""

    def __init__(self, *, since_ms: int, span: int) -> None:
        self._since_ms = since_ms
        self._span = span
        self._until: dict[str, int] = {}

    @classmethod
    def none(cls) -> "Suspicion":
        """The previous owner let go in good order, or there was none."""
        return cls(since_ms=0, span=0)

    def of_parked(self, due_ms: int) -> bool:
        """Whether a parked job was due before the crash could be noticed, and so may have been running at
        it."""
        return bool(self._span) and due_ms <= self._since_ms

    @property
    def any(self) -> bool:
        return self._span > 0

    def of(self, job: Job) -> bool:
        """Whether this job may have been running at the crash."""
        if not self._span:
            return False
        if job.stored is not None:
            return job.attempt_is_risky
        topic, offset = job.position.topic, job.position.offset
        until = self._until.setdefault(topic, offset + self._span)
        return offset < until

    def met_own(self, position: Position) -> None:
        """A redelivered record that was settled before: work had got at least that far."""
        if self._span:
            reach = position.offset + self._span
            self._until[position.topic] = max(self._until.get(position.topic, 0), reach)
