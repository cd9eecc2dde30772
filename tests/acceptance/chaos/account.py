"""The reckoning: what was published, what raw log and Kafka say was done about it, and what disagrees."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.job import JobState
from tests.acceptance.chaos.commits import Sample, too_early
from tests.acceptance.chaos.crew import Life
from tests.acceptance.chaos.evidence import Entry, Evidence, header_of, json_of
from tests.acceptance.chaos.fates import fate_of
from tests.acceptance.chaos.publishing import TOPIC, Published
from tests.acceptance.chaos.repeats import Repeats
from tests.acceptance.chaos.runs import Runs
from tests.acceptance.chaos.settling import Settling
from tests.acceptance.chaos.work import DELAYS, Work, sent_by, work_of


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
        self._check_commits()

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
        source = work.source
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

    def _check_letters(self) -> None:
        for source in self.evidence:
            letters = Counter(name for name, _ in self.evidence[source].letter_names())
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
                ids.setdefault(json_of(record)["of"], set()).add(header_of(record, "ce_id"))
        wanted = {work.of for work in self._expected if work.task == "note_delay"}
        self.lost += [f"the delay of {of} was not published" for of in wanted - ids.keys()]
        self.wrong += [
            f"the delay of {of} was published although its job failed" for of in ids.keys() - wanted
        ]
        self.wrong += [
            f"the delay of {of} was published as {found}" for of, found in ids.items() if len(found) > 1
        ]

    def _check_commits(self) -> None:
        settling = Settling(published=self.published, runs=self.runs, evidence=self.evidence)
        for early in too_early(self.samples, settling.times()):
            self.early.append(f"{early}\n{settling.story(early)}")
