"""What must hold in every history, judged by the logs of the broker, never by what a worker believes."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from consumers.engine.decisions import Known, Parked
from consumers.engine.job import Job
from consumers.engine.lanes import lane_of
from consumers.engine.statedb import due_key
from consumers.outcomes import (
    Cancelled,
    Completed,
    DeadLettered,
    Discarded,
    Expired,
    RetryLater,
    Skipped,
)
from schemas.deadletter import DeadLetterHeader
from schemas.job import JobState
from schemas.state import decode_state, header_of, is_fence
from tests.model.kafka import DLQ, LEDGER, RETRY, TOPIC, Record
from tests.model.orders import SHIPPED, output_id

if TYPE_CHECKING:
    from faust.types import TP

    from tests.model.worker import SimWorker
    from tests.model.world import World

FINISHED = (Completed, DeadLettered, Discarded, Expired, Cancelled)


class Violation(AssertionError):
    """A rule was broken. `rule` names it."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule


class Rules:
    """Watches one world."""

    def __init__(self, world: "World") -> None:
        self.world, self.kafka = world, world.kafka
        self.checked: Counter[int] = Counter()  # partition → offsets known to be settled durably
        self.letters: set[tuple[int, int]] = set()  # (partition, offset) of records nobody could read
        self.letter_jobs: set[str] = set()
        self.published: set[str] = set()
        self.charges: Counter[str] = Counter()
        self.starts: Counter[str] = Counter()
        self.broken: Violation | None = None
        self.kafka.appended = self.appended
        self.kafka.group.committing = self.committing

    def break_(self, rule: str, message: str) -> None:
        """Remember the first violation: raising here could be swallowed by the code under test."""
        if self.broken is None:
            self.broken = Violation(rule, message)

    def judge(self) -> None:
        if self.broken is not None:
            raise self.broken

    # -- what is known from the logs

    def record_of(self, number: int, id: str) -> bytes | None:
        """The durable record of a job that holds: the higher revision, the ledger's when equal."""
        key = id.encode()
        finished = self.kafka.folds[LEDGER, number].values.get(key)
        parked = self.kafka.folds[RETRY, number].values.get(key)
        if finished is None or parked is None:
            return finished or parked
        return finished if header_of(finished)[3] >= header_of(parked)[3] else parked

    def is_settled(self, number: int, offset: int) -> bool:
        ids = self.world.wanted[number, offset]
        if ids is None:
            return (number, offset) in self.letters
        return all(self.record_of(number, id) is not None for id in ids)

    def owns(self, worker: "SimWorker", number: int) -> bool:
        group = self.kafka.group
        return (
            worker.alive
            and worker in group.members
            and group.owners.get(number) is worker
            and worker.generation == group.generation
        )

    # -- what happens

    def appended(self, record: Record) -> None:
        """A finished record may not precede what it promises: outputs and dead letters."""
        if record.topic == DLQ:
            self._letter(record)
        elif record.topic == SHIPPED:
            self.published.add(dict(record.headers)["ce_id"].decode())
        elif record.topic == LEDGER and record.value is not None and not is_fence(record.key or b""):
            document = decode_state(record.value).document
            state = document["state"]
            id = (record.key or b"").decode()
            if state == JobState.FAILED and id not in self.letter_jobs:
                self.break_(
                    "outputs before ledger", f"{id} is recorded as failed, its dead letter is not there"
                )
            elif "publish" in document.get("result", {}).values() and output_id(id) not in self.published:
                self.break_(
                    "outputs before ledger", f"{id} is recorded as completed, its output is not there"
                )

    def _letter(self, record: Record) -> None:
        headers = dict(record.headers)
        if DeadLetterHeader.JOB_ID in headers:
            self.letter_jobs.add(headers[DeadLetterHeader.JOB_ID].decode())
        else:
            self.letters.add((record.partition, int(headers[DeadLetterHeader.ORIGIN_OFFSET])))

    def committing(self, tp: "TP", offset: int) -> None:
        """Nothing unsettled lies behind a committed offset."""
        for before in range(self.checked[tp.partition], offset):
            if not self.is_settled(tp.partition, before):
                self.break_("commit past unsettled", f"{offset} of {tp} committed, {before} is not settled")
        self.checked[tp.partition] = max(self.checked[tp.partition], offset)
        if offset > self.kafka.end(TOPIC, tp.partition):
            self.break_("commit past the end", f"{offset} of {tp}")

    def acked(self, worker: "SimWorker", number: int, writer: int, settled: list[Any]) -> None:
        """What is called settled has its record in the log."""
        if not worker.alive:
            return
        for job, decision in settled:
            if isinstance(decision, Known | Skipped):
                there = not self.owns(worker, number) or self.record_of(number, job.id) is not None
            elif not job.id:
                there = (number, job.position.offset) in self.letters
            else:
                topic = LEDGER if isinstance(decision, FINISHED) else RETRY
                assert topic == LEDGER or isinstance(decision, RetryLater | Parked)
                there = (job.id.encode(), writer, job.revision) in self.kafka.folds[topic, number].written
            if not there:
                self.break_("acked but not durable", f"{worker} acked {job.task_name} {job.id}: {decision}")

    def started(self, worker: "SimWorker", job: Job) -> None:
        """An owner starts no job that is finished, waits for its time or runs already; no lane overlaps."""
        number = job.position.partition
        self.starts[job.id] += 1
        if not self.owns(worker, number):
            return
        known = self.record_of(number, job.id)
        if known is not None:
            record = decode_state(known)
            state = JobState(record.document["state"])
            if state.finished:
                self.break_("finished job runs", f"{worker} starts {job.task_name} {job.id}, which {state}")
            elif state is JobState.RETRYING and record.due_ms > self.world.now_ms():
                self.break_("parked job runs", f"{worker} starts {job.id} before its time")
            elif state is JobState.RETRYING and job.attempt != record.document["attempt"] + 1:
                self.break_("attempts", f"{job.id} attempt {job.attempt} after {record.document['attempt']}")
        elif job.attempt != 1:
            self.break_("attempts", f"{job.id} starts with attempt {job.attempt}")
        for run in worker.runs:
            if run.job.partition is job.partition and not run.job.interrupted:
                if run.job.id == job.id:
                    self.break_("job runs twice at once", f"{worker} starts {job.task_name} {job.id}")
                elif lane_of(job) is not None and lane_of(run.job) == lane_of(job):
                    self.break_("lane overlaps", f"{worker} starts {job.id} beside {run.job.id}")

    def charged(self, worker: "SimWorker", job: Job) -> None:
        """A step whose journal is durable does not repeat."""
        self.charges[job.id] += 1
        number = job.position.partition
        known = self.record_of(number, job.id)
        steps = {} if known is None else decode_state(known).document.get("steps", {})
        if "charge" in steps and self.owns(worker, number):
            self.break_("journaled step repeats", f"{worker} charges {job.id} again")

    def worker_ended(self, worker: "SimWorker", error: BaseException | None) -> None:
        self.break_("worker crashed", f"{worker}: {error!r}")

    # -- the end

    def all_done(self) -> list[str]:
        """What is not finished yet."""
        left = []
        for (number, offset), ids in self.world.wanted.items():
            if ids is None:
                if (number, offset) not in self.letters:
                    left.append(f"letter for {number}:{offset}")
                continue
            for id in ids:
                known = self.record_of(number, id)
                if known is None or not JobState(decode_state(known).document["state"]).finished:
                    left.append(f"{id} of {number}:{offset}")
        return left

    def final(self) -> None:
        """At rest every local database equals an independent fold of its topic, with its index."""
        for number, owner in self.kafka.group.owners.items():
            for topic in (RETRY, LEDGER):
                db = owner.app.stores[topic].partition(number)
                mine = {id: masked(value) for id, value in db.records()}
                wanted = {id: masked(value) for id, value in self.kafka.folds[topic, number].values.items()}
                if mine != wanted:
                    self.break_("store differs from log", f"{topic}[{number}] of {owner}: {mine} != {wanted}")
                if topic == RETRY:
                    index = set(db.index())
                    for id, value in db.records():
                        if due_key(header_of(value)[0], id) not in index:
                            self.break_("index is incomplete", f"{id!r}")


def masked(value: bytes) -> bytes:
    """A record without its writer: a repair writes it anew."""
    return value[:16] + value[24:]
