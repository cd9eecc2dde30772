"""Serial queues, one for each (task, key) of a partition: jobs of a lane start in order and never overlap.

An unfinished job holds its lane; a lane without followers costs one dict entry.
"""

from collections import deque

from consumers.engine.job import Job

Lane = tuple[str, bytes]


def lane_of(job: Job) -> Lane | None:
    """The lane of a job, None when it may run beside any other: no key, or `order="none"`."""
    if job.key is None or job.task is None or job.task.settings.order == "none":
        return None
    return (job.task.name, job.key)


class Lanes:
    """The lanes of one partition."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, deque[Job] | None] = {}

    def enter(self, job: Job) -> bool:
        """Join the lane; True when the job may start now."""
        lane = job.lane = lane_of(job)
        if lane is None:
            return True
        if lane not in self._lanes:
            self._lanes[lane] = None
            return True
        followers = self._lanes[lane]
        if followers is None:
            followers = self._lanes[lane] = deque()
        followers.append(job)
        return False

    def leave(self, job: Job) -> Job | None:
        """Let go of the lane; returns the job whose turn it is."""
        lane = job.lane
        if lane is None:
            return None
        followers = self._lanes.get(lane)
        if followers:
            return followers.popleft()
        self._lanes.pop(lane, None)
        return None

    def withdraw(self, job: Job) -> Job | None:
        """Take out a job that never started, wherever it stands; returns the job whose turn it is by that."""
        lane = job.lane
        if lane is None:
            return None
        followers = self._lanes.get(lane)
        if followers and job in followers:
            followers.remove(job)
            return None
        return self.leave(job)
