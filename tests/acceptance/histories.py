"""What clients were told of jobs, and whether it can be true of one history: nothing told goes backwards."""

from collections.abc import Iterable
from typing import Final, NamedTuple

_RANKS: Final = {"pending": 0, "scheduled": 1, "running": 2, "retrying": 2}
_FINISHED: Final = 3


class Told(NamedTuple):
    """One answer about a job. Times are of one clock: when it was asked for, and when the answer was there.

    `state` is None for "no such job".
    """

    job_id: str
    asked: float
    answered: float
    by: str
    state: str | None
    revision: int = 0

    @property
    def age(self) -> tuple[int, int]:
        """Grows over the life of a job."""
        return self.revision, _RANKS.get(self.state or "", _FINISHED)


def contradictions(answers: Iterable[Told]) -> list[str]:
    """Answers about jobs that were accepted before, each of which says less than one that came before it was
    asked for. Answers that overlap may come in either order."""
    by_job: dict[str, list[Told]] = {}
    for told in answers:
        by_job.setdefault(told.job_id, []).append(told)
    return [wrong for history in by_job.values() for wrong in _of_one(history)]


def _of_one(history: list[Told]) -> Iterable[str]:
    earlier = sorted(history, key=lambda told: told.answered)
    newest: Told | None = None
    place = 0
    for told in sorted(history, key=lambda each: each.asked):
        while place < len(earlier) and earlier[place].answered < told.asked:
            if earlier[place].state is not None and (newest is None or earlier[place].age > newest.age):
                newest = earlier[place]
            place += 1
        if told.state is None:
            yield f"{told.job_id}: {told.by} knows no such job, after it was accepted"
        elif newest is not None and told.age < newest.age:
            yield f"{told.job_id}: {told.by} says {told.age} {told.state}, {newest.by} had said {newest.age}"
