"""When each offset was settled: the last of its jobs finished, parked, detached, taken over or handed on."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka import TopicPartition

from tests.acceptance.chaos.commits import TooEarly
from tests.acceptance.chaos.evidence import Evidence, header_of, json_of
from tests.acceptance.chaos.publishing import Published
from tests.acceptance.chaos.runs import Runs
from tests.acceptance.chaos.work import DELAYS, FLIGHTS, HOPPING, JOBS, Work, work_of


class Settling:
    """Worked out from the records that count, by the clock of who wrote them."""

    def __init__(self, *, published: Published, runs: Runs, evidence: Mapping[str, Evidence]) -> None:
        self._published = published
        self._runs = runs
        self._evidence = evidence
        self._first = {source: _first_records(each) for source, each in evidence.items()}
        self._hopped = _first_hops(evidence[JOBS])
        self._letters: dict[str, float] = {}
        for name, at_ms in evidence[FLIGHTS].letter_names():
            self._letters.setdefault(name, at_ms)

    def times(self) -> dict[TopicPartition, list[float]]:
        """For every partition, the time of every offset from 0 on; infinity for never."""
        settled: dict[TopicPartition, list[float]] = {}
        for source, evidence in self._evidence.items():
            for (topic, partition), records in evidence.inputs.items():
                times = settled[TopicPartition(topic, partition)] = [0.0] * (records[-1].offset + 1)
                for record in records:
                    times[record.offset] = self._settled_at(source, record)
        return settled

    def _settled_at(self, source: str, record: Any) -> float:
        if source == JOBS:
            return self._first[JOBS].get(json_of(record)["job_id"], math.inf)
        if source == FLIGHTS and not header_of(record, "ce_id"):
            return self._letters.get(f"{record.partition}:{record.offset}", math.inf)
        id = header_of(record, "ce_id")
        return max(
            self._hopped.get(id, math.inf) if work.task == HOPPING else self._job_settled_at(work)
            for work in self._work(source, record)
        )

    def _work(self, source: str, record: Any) -> Iterator[Work]:
        id = header_of(record, "ce_id")
        if source == DELAYS:
            yield Work("note_delay", json_of(record)["of"])
        elif source == FLIGHTS and id:
            event = self._published.events[id]
            yield from work_of(event, id, event.key() or id)

    def _job_settled_at(self, work: Work) -> float:
        first = self._first[work.source]
        return max((first.get(id, math.inf) for id in self._runs.jobs.get(work, ())), default=math.inf)

    def story(self, early: TooEarly) -> str:
        """Everything known about the first offset that was not settled."""
        for source, evidence in self._evidence.items():
            for record in evidence.inputs.get(tuple(early.place), ()):
                if record.offset == early.unsettled:
                    return "\n".join(self._tell(source, record))
        return ""

    def _tell(self, source: str, record: Any) -> Iterator[str]:
        yield f"  published at {record.timestamp}: {record.headers}"
        for work in self._work(source, record):
            for id in self._runs.jobs.get(work, ()):
                yield f"  {work.task} of {work.of}: job {id}"
                yield from (f"    {run}" for run in self._runs.of_job[id])
                yield from (f"    {line}" for line in self._evidence[work.source].story(record.partition, id))


def _first_records(evidence: Evidence) -> dict[str, float]:
    """When each job was first finished, parked, detached or taken over."""
    first: dict[str, float] = {}
    for log in (*evidence.retry.values(), *evidence.ledger.values()):
        for id in log.entries:
            first[id] = min(first.get(id, math.inf), log.let_go_ms(id))
    return first


def _first_hops(jobs: Evidence) -> dict[str, float]:
    """When the hop of each event was in the jobs topic."""
    first: dict[str, float] = {}
    for records in jobs.inputs.values():
        for record in records:
            request = json_of(record)
            if request["task"] == HOPPING:
                of = request["event"]["id"]
                first[of] = min(first.get(of, math.inf), record.timestamp)
    return first
