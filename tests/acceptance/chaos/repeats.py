"""Which attempts were made twice, and whether the promise allows it.

A job may run again only if its worker was killed or frozen, or lost the partition, between the start and
the record of what came of it. Each such case is seen in the state topics as a fence of a new owner.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from tests.acceptance.chaos.crew import Life
from tests.acceptance.chaos.evidence import Entry, Evidence, Fence
from tests.acceptance.chaos.runs import Run
from tests.acceptance.chaos.work import Work

# Between the handing out of partitions and the loser's hearing of it.
HEARING_MS = 2_000.0


class Repeats:
    """Judges the runs of jobs of one source."""

    def __init__(self, evidence: Evidence, lives: Mapping[str, Life]) -> None:
        self._evidence = evidence
        self._lives = lives
        self.causes: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()
        self.violations: list[str] = []

    def judge(self, work: Work, job_id: str, runs: list[Run], entry: Entry) -> None:
        """`entry` is the ledger record of the job."""
        _, partition, _ = entry.document["at"]
        strays = [run for run in runs if not self._by_owner(partition, run.at_ms, run.worker)]
        for run in strays:
            self._judge_stray(work, partition, run)
        rightful = [run for run in runs if run not in strays]
        for before, after in pairwise(rightful):
            if not self._is_retry(before, after):
                self._judge_repeat(work, job_id, partition, before, after)
        for run in rightful:
            if run.at_ms > entry.at_ms + 1:
                self._accuse(work, f"run again after its ledger record at {entry.at_ms}: {run}")
        self._judge_effects(work, job_id, partition, runs)

    # -- runs

    def _by_owner(self, partition: int, at_ms: float, worker: str) -> bool:
        fence, owner = self._evidence.owner_at(partition, at_ms)
        return fence is None or owner in (None, worker)

    @staticmethod
    def _is_retry(before: Run, after: Run) -> bool:
        return before.ended_as == "retry" and after.begin.attempt > before.begin.attempt

    def _judge_repeat(self, work: Work, job_id: str, partition: int, before: Run, after: Run) -> None:
        fences = self._evidence.changed_hands(partition, before.at_ms, after.at_ms)
        if not fences:
            self._accuse(work, f"run twice by one owner: {before}; {after}")
            return
        parked = [
            entry
            for entry in self._evidence.retry[partition].entries.get(job_id, [])
            if entry.document.get("state") == "retrying"
            and entry.at_ms <= fences[-1].at_ms
            and entry.document["attempt"] >= after.begin.attempt
        ]
        if parked:
            self._accuse(work, f"run again although parked: {before}; {after}")
        cause = self._cause(before, after, fences)
        if cause == "stopped":
            self._accuse(work, f"run again after an orderly stop: {before}; {after}")
        self.causes[cause] += 1

    def _cause(self, before: Run, after: Run, fences: list[Fence]) -> str:
        life = self._lives[before.worker]
        if life.killed_at is not None and before.begin.at <= life.killed_at:
            return "killed"
        if any(began <= after.begin.at and before.begin.at <= ended for began, ended in life.freezes):
            return "frozen"
        if life.stopped_at is not None and fences[0].at_ms > life.stopped_at * 1000:
            return "stopped"  # it still owned the partition at its end
        return "moved"

    def _judge_stray(self, work: Work, partition: int, run: Run) -> None:
        """A run by a worker that had lost the partition: only just, or it was frozen meanwhile."""
        fence, _ = self._evidence.owner_at(partition, run.at_ms)
        assert fence is not None
        life = self._lives[run.worker]
        if any(began <= run.begin.at <= ended + HEARING_MS / 1000 for began, ended in life.freezes):
            self.causes["begun after a thaw"] += 1
        elif run.at_ms - fence.at_ms <= HEARING_MS:
            self.causes["begun while it moved"] += 1
        else:
            self._accuse(work, f"begun {run.at_ms - fence.at_ms:.0f} ms after another owner's fence: {run}")

    # -- effects

    def _judge_effects(self, work: Work, job_id: str, partition: int, runs: list[Run]) -> None:
        steps: dict[str, list[tuple[float, Run]]] = {}
        for run in runs:
            for step, _, line in run.effects:
                steps.setdefault(step, []).append((line.at * 1000, run))
        for step, done in steps.items():
            done.sort(key=lambda each: each[0])
            for (first_ms, before), (second_ms, after) in pairwise(done):
                self._judge_effect(work, job_id, partition, step, before, first_ms, after, second_ms)

    def _judge_effect(
        self,
        work: Work,
        job_id: str,
        partition: int,
        step: str,
        before: Run,
        first_ms: float,
        after: Run,
        second_ms: float,
    ) -> None:
        if not self._by_owner(partition, second_ms, after.worker):
            # It ran on where its partition had gone: the run itself is judged above.
            began = self._evidence.changed_hands(partition, after.at_ms, second_ms)
            self.effects["stray"] += 1
            if not began and self._by_owner(partition, after.at_ms, after.worker):
                self._accuse(work, f"effect {step} repeated: {before}; {after}")
            return
        fences = self._evidence.changed_hands(partition, before.at_ms, second_ms)
        journaled = [
            entry
            for entry in self._evidence.retry[partition].entries.get(job_id, [])
            if step in (entry.document.get("steps") or {}) and entry.at_ms < second_ms
        ]
        if not fences:
            self._accuse(work, f"effect {step} repeated by one owner: {before}; {after}")
        elif any(entry.at_ms < fence.at_ms for entry in journaled for fence in fences):
            self._accuse(work, f"effect {step} repeated although journaled: {before}; {after}")
        if fences:
            self.effects[self._cause(before, after, fences)] += 1

    def _accuse(self, work: Work, what: str) -> None:
        self.violations.append(f"{work.task} of {work.of}: {what}")
