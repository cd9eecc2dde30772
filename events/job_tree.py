"""The tree of a workflow, from what is known of its jobs: the last job on top, every step under its part."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from events.state_view import JobView


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree: a job, or, where `job` is None, how many in which states were left out."""

    depth: int
    step: str
    job: JobView | None
    left_out: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """The same as an object."""
        if self.job is None:
            return {"depth": self.depth, "left_out": self.left_out}
        return {"depth": self.depth, "step": self.step or None, **self.job.as_json()}


def root_of(job: JobView) -> str:
    """The workflow a job belongs to; a job of none is its own."""
    return str(job.document.get("root") or job.job_id)


def tree_of(root: str, jobs: Iterable[JobView], *, widest: int) -> list[Branch]:
    """The jobs of a workflow in the order of their steps; at most `widest` of those side by side, the ones
    that did not complete first."""
    found = [job for job in jobs if job.job_id == root or job.document.get("root") == root]
    top = [job for job in found if job.job_id == root]
    parts: dict[str, list[JobView]] = {}
    for job in found:
        if job.job_id != root:
            parts.setdefault(_step(job).rpartition(".")[0], []).append(job)
    shown = {job.job_id for siblings in parts.values() for job in _first(siblings, widest)}
    lines = [Branch(0, _step(job), job, {}) for job in top]
    steps = sorted((job for job in found if job.job_id in shown), key=_order)
    lines += [Branch(_step(job).count(".") + 1, _step(job), job, {}) for job in steps]
    for part, siblings in parts.items():
        rest = Counter(str(job.state) for job in siblings if job.job_id not in shown)
        if rest:
            depth = part.count(".") + 2 if part else 1
            at = max(number for number, line in enumerate(lines) if _is_in(line, part)) + 1
            lines.insert(at, Branch(depth, part, None, dict(rest)))
    return lines


def _first(siblings: list[JobView], widest: int) -> list[JobView]:
    by_need = sorted(siblings, key=lambda job: (job.state == "completed", _order(job)))
    return by_need[:widest]


def _is_in(line: Branch, part: str) -> bool:
    return not part or line.step == part or line.step.startswith(f"{part}.")


def _step(job: JobView) -> str:
    return str(job.document.get("step") or "")


def _order(job: JobView) -> list[tuple[int, str]]:
    return [(int(each) if each.isdigit() else 1 << 40, each) for each in _step(job).split(".")]
