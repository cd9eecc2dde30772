"""Attempts as the raw log tells them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.acceptance.chaos.raw_log import EFFECT, END, START, Line
from tests.acceptance.chaos.work import Work


@dataclass
class Run:
    """One attempt: its first line, and its last one if it got there. Effects are (step, receipt, line)."""

    begin: Line
    end: Line | None = None
    effects: list[tuple[str, str, Line]] = field(default_factory=list)

    @property
    def at_ms(self) -> float:
        return self.begin.at * 1000

    @property
    def worker(self) -> str:
        return self.begin.worker

    @property
    def ended_as(self) -> str | None:
        return None if self.end is None else self.end.fact

    def __str__(self) -> str:
        end = "no end" if self.end is None else f"{self.end.fact} {self.end.at:.3f}"
        return f"{self.worker} attempt {self.begin.attempt} {self.begin.at:.3f} to {end}"


@dataclass
class Runs:
    """By job, in the order they began; and which job did which work."""

    of_job: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    jobs: dict[Work, set[str]] = field(default_factory=lambda: defaultdict(set))
    count: int = 0


def runs_of(lines: Iterable[Line]) -> Runs:
    """`lines` are each worker's in their order; a worker never runs a job twice at once."""
    runs = Runs()
    open_runs: dict[tuple[str, str], Run] = {}
    for line in lines:
        place = (line.worker, line.job_id)
        if line.what == START:
            runs.count += 1
            runs.jobs[Work(line.task, line.of)].add(line.job_id)
            open_runs[place] = Run(line)
            runs.of_job[line.job_id].append(open_runs[place])
        elif line.what == END:
            open_runs[place].end = line
        elif line.what == EFFECT:
            step, receipt = line.fact
            open_runs[place].effects.append((step, receipt, line))
    for each in runs.of_job.values():
        each.sort(key=lambda run: run.at_ms)
    return runs
