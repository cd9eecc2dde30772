"""What the topics hold in the end: jobs by task and state, dead letters by reason, what was published."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.demo.programme import TOPIC
from events.dead_letters import letters_of
from events.log_reader import LogReader
from events.settings import ClientSettings
from events.state_view import read_view
from events.topics import JOBS
from schemas.deadletter import DeadLetterHeader, Reason
from schemas.job import JobState

SOURCES: Final = (TOPIC, JOBS)
NOT_YET: Final = frozenset({JobState.PENDING, JobState.RUNNING, JobState.RETRYING})
"""Not settled, and not put off on purpose either."""


@dataclass(slots=True)
class Tally:
    """Counts read from Kafka; no worker was asked."""

    records: int = 0  # on the input topic
    jobs: Counter[tuple[str, JobState]] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)  # by reason
    results: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # of completed jobs, by task

    def in_state(self, state: JobState, task: str | None = None) -> int:
        """Jobs in a state, of all tasks or of one."""
        return sum(
            count for (name, found), count in self.jobs.items() if found is state and task in (None, name)
        )

    @property
    def unsettled(self) -> int:
        return sum(count for (_, state), count in self.jobs.items() if state in NOT_YET)

    @property
    def dead(self) -> int:
        """Dead letters of jobs: neither those nobody could read, nor those whose time ran out."""
        others = self.letters[Reason.UNDECODABLE] + self.letters[Reason.EXPIRED]
        return self.letters.total() - others


async def read_tally(client: ClientSettings) -> Tally:
    """Read every topic of the demo from its beginning. Raises EventsError."""
    tally = Tally()
    async with LogReader(client) as reader:
        async for _ in reader.read([TOPIC]):
            tally.records += 1
        for source in SOURCES:
            await _add_jobs(tally, reader, client.app_id, source)
            async for letter in letters_of(reader, client.app_id, source):
                tally.letters[letter.fact(DeadLetterHeader.REASON)] += 1
    return tally


async def holds_records(client: ClientSettings) -> bool:
    """Whether somebody published to the demo's topic before."""
    async with LogReader(client) as reader:
        async for _ in reader.read([TOPIC]):
            return True
    return False


async def _add_jobs(tally: Tally, reader: LogReader, app_id: str, source: str) -> None:
    view = await read_view(reader, app_id, source)
    for job in view.jobs(now_ms=time.time_ns() // 1_000_000):
        tally.jobs[job.task, job.state] += 1
        result = job.document.get("result")
        if job.state is JobState.COMPLETED and isinstance(result, dict):
            tally.results.setdefault(job.task, []).append(result)
