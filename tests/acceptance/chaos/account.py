"""The reckoning: what was published, what raw log and Kafka say was done about it, and what disagrees."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import TopicPartition

from schemas.deadletter import DeadLetterHeader
from schemas.job import JobState
from tests.acceptance.chaos.commits import Sample, too_early
from tests.acceptance.chaos.crew import Life
from tests.acceptance.chaos.evidence import Entry, Evidence
from tests.acceptance.chaos.fates import fate_of
from tests.acceptance.chaos.publishing import TOPIC, Published
from tests.acceptance.chaos.repeats import Repeats
from tests.acceptance.chaos.runs import Runs
from tests.acceptance.chaos.work import DELAYS, Work, sent_by, work_of

JOBS = "jobs"
HOPPING = "tally"
SOURCE_OF = {"note_delay": DELAYS, "send_notice": JOBS, "file_notice": JOBS, HOPPING: JOBS}


@dataclass
class Account:
    """Everything there is to compare, and what was found. Empty lists are a passed test."""

    published: Published
    runs: Runs
    evidence: Mapping[str, Evidence]
    lives: Mapping[str, Life]
    samples: list[Sample]
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)

    def close(self) -> None:
        """Compare."""
        self._finished = {source: evidence.finished() for source, evidence in self.evidence.items()}
        self._expected = self._work()
        self._repeats = {name: Repeats(each, self.lives) for name, each in self.evidence.items()}
        for work in self._expected:
            self._check(work)
        for repeats in self._repeats.values():
            self.causes += repeats.causes
            self.effects += repeats.effects
            self.wrong += repeats.violations
        self._check_strangers()
        self._check_parked()
        self._check_letters()
        self._check_outputs()
        self.early = too_early(self.samples, self._settled())

    # -- what had to be done

    def _work(self) -> set[Work]:
        asked = {
            work
            for id, event in self.published.events.items()
            for work in work_of(event, id, event.key() or id)
        }
        return asked | {sent for work in asked for sent in sent_by(work)}

    @property
    def jobs(self) -> int:
        return len(self._expected)

    # -- what was done

    def _check(self, work: Work) -> None:
        source = SOURCE_OF.get(work.task, TOPIC)
        ids = self.runs.jobs.get(work, set())
        if not ids:
            self.lost.append(f"{work.task} of {work.of}: never run")
            return
        if len(ids) > 1:
            self.wrong.append(f"{work.task} of {work.of}: under several ids: {ids}")
        for id in ids:
            entries = self._finished[source].get(id)
            if not entries:
                self.lost.append(f"{work.task} of {work.of}: run, but not in the ledger ({id})")
                continue
            self._check_entries(work, id, entries)
            self._repeats[source].judge(work, id, self.runs.of_job[id], entries[0])

    def _check_entries(self, work: Work, id: str, entries: list[Entry]) -> None:
        wanted = fate_of(*work).state
        entry = entries[0]
        if len({each.body for each in entries}) > 1:
            self.wrong.append(f"{work.task} of {work.of}: {len(entries)} different ledger records")
        if entry.document["state"] != wanted:
            self.wrong.append(f"{work.task} of {work.of}: {entry.document['state']}, not {wanted}")
        ends = [run for run in self.runs.of_job[id] if run.ended_as == wanted]
        if not any(run.end is not None and run.end.at * 1000 <= entry.at_ms + 1 for run in ends):
            self.wrong.append(f"{work.task} of {work.of}: in the ledger before it had ended")
        if work.task in ("rebook", "refund") and wanted is JobState.COMPLETED:
            self._check_kept(work, id, entry)

    def _check_kept(self, work: Work, id: str, entry: Entry) -> None:
        """The receipts in the result are those of effects, and those that were journaled."""
        result = entry.document["result"]
        done = {(step, receipt) for run in self.runs.of_job[id] for step, receipt, _ in run.effects}
        if not result.items() <= done:
            self.wrong.append(f"{work.task} of {work.of}: kept receipts nobody wrote: {result}")
        _, partition, _ = entry.document["at"]
        journal = self.evidence[TOPIC].retry[partition].entries.get(id, [])
        for each in journal:
            steps = each.document.get("steps") or {}
            if any(result[step] != receipt for step, receipt in steps.items()):
                self.wrong.append(f"{work.task} of {work.of}: journaled {steps} but kept {result}")

    def _check_strangers(self) -> None:
        known = {id for work in self._expected for id in self.runs.jobs.get(work, ())}
        for source, finished in self._finished.items():
            self.wrong += [f"{source}: job {id} nobody asked for" for id in finished.keys() - known]
        self.wrong += [f"{work} nobody asked for was run" for work in self.runs.jobs.keys() - self._expected]

    def _check_parked(self) -> None:
        for source, evidence in self.evidence.items():
            self.lost += [f"{source}: job {id} is still parked" for id in evidence.unfinished()]

    # -- letters and outputs

    def _letters(self, source: str) -> Iterator[tuple[str, int]]:
        """(job id or origin, when) of every dead letter."""
        for letter in self.evidence[source].letters:
            headers = {name: content.decode() for name, content in letter.headers}
            job_id = headers.get(DeadLetterHeader.JOB_ID)
            place = f"{letter.partition}:{headers[DeadLetterHeader.ORIGIN_OFFSET]}"
            yield job_id or place, letter.timestamp

    def _check_letters(self) -> None:
        for source in self.evidence:
            letters = Counter(name for name, _ in self._letters(source))
            self.wrong += [
                f"{source}: {count} dead letters of {name}"
                for name, count in letters.items()
                if count > 1 and count > self._letters_allowed(source, name)
            ]
            dead = {
                id
                for id, entries in self._finished[source].items()
                if entries[0].document["state"] == "failed"
            }
            jobs = {name for name in letters if ":" not in name}
            self.wrong += [f"{source}: {id} is dead without letter" for id in dead - jobs]
            self.wrong += [f"{source}: {id} has a letter and is not dead" for id in jobs - dead]
            unreadable = len(letters) - len(jobs)
            wanted = self.published.unreadable if source == TOPIC else 0
            if unreadable != wanted:
                self.lost.append(f"{source}: {wanted} unreadable records, {unreadable} letters of them")

    def _letters_allowed(self, source: str, name: str) -> int:
        """One for each attempt that failed for good, and is judged elsewhere; of an unreadable record one
        for each owner of its partition."""
        if ":" not in name:
            return sum(run.ended_as == JobState.FAILED for run in self.runs.of_job[name])
        return len(self.evidence[source].ledger[int(name.partition(":")[0])].fences)

    def _check_outputs(self) -> None:
        ids: dict[str, set[str]] = {}
        for records in self.evidence[DELAYS].inputs.values():
            for record in records:
                ids.setdefault(_json(record)["of"], set()).add(_header(record, "ce_id"))
        wanted = {work.of for work in self._expected if work.task == "note_delay"}
        self.lost += [f"the delay of {of} was not published" for of in wanted - ids.keys()]
        self.wrong += [
            f"the delay of {of} was published although its job failed" for of in ids.keys() - wanted
        ]
        self.wrong += [
            f"the delay of {of} was published as {found}" for of, found in ids.items() if len(found) > 1
        ]

    # -- when each offset was settled

    def _settled(self) -> dict[TopicPartition, list[float]]:
        self._when = {source: self._first_records(source) for source in self.evidence}
        self._hops = self._first_hops()
        self._unreadable: dict[str, float] = {}
        for name, at_ms in self._letters(TOPIC):
            self._unreadable[name] = min(at_ms, self._unreadable.get(name, math.inf))
        settled: dict[TopicPartition, list[float]] = {}
        for source, evidence in self.evidence.items():
            for (topic, partition), records in evidence.inputs.items():
                times = settled[TopicPartition(topic, partition)] = [0.0] * (records[-1].offset + 1)
                for record in records:
                    times[record.offset] = self._settled_at(source, record)
        return settled

    def _first_records(self, source: str) -> dict[str, float]:
        """When each job was first finished, parked or detached, by a record that counts."""
        evidence = self.evidence[source]
        first: dict[str, float] = {}
        for logs in (evidence.retry, evidence.ledger):
            for log in logs.values():
                for id, entries in log.entries.items():
                    for entry in entries:
                        if entry.lets_go:
                            first[id] = min(first.get(id, math.inf), entry.at_ms)
        return first

    def _first_hops(self) -> dict[str, float]:
        """When the hop of each event was in the jobs topic."""
        first: dict[str, float] = {}
        for records in self.evidence[JOBS].inputs.values():
            for record in records:
                request = _json(record)
                if request["task"] == HOPPING:
                    of = request["event"]["id"]
                    first[of] = min(first.get(of, math.inf), record.timestamp)
        return first

    def _settled_at(self, source: str, record: Any) -> float:
        if source == JOBS:
            return self._when[JOBS].get(_json(record)["job_id"], math.inf)
        if source == DELAYS:
            return self._job_settled_at(Work("note_delay", _json(record)["of"]))
        id = _header(record, "ce_id")
        if not id:
            return self._unreadable.get(f"{record.partition}:{record.offset}", math.inf)
        event = self.published.events[id]
        return max(
            self._hops.get(id, math.inf) if work.task == HOPPING else self._job_settled_at(work)
            for work in work_of(event, id, event.key() or id)
        )

    def _job_settled_at(self, work: Work) -> float:
        source = SOURCE_OF.get(work.task, TOPIC)
        ids = self.runs.jobs.get(work, ())
        return max((self._when[source].get(id, math.inf) for id in ids), default=math.inf)


def _header(record: Any, name: str) -> str:
    return dict(record.headers).get(name, b"").decode()


def _json(record: Any) -> Any:
    return orjson.loads(record.value)
