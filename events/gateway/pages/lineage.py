"""Jobs that belong together, as a tree. Pure."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from events.gateway.pages.source import Family, TreeNode
from schemas.status import JobStatus

MOST_NODES: Final = 200
_MOST_LEVELS: Final = 12
_NUMBER: Final = re.compile(r"\d+")


def steps(jobs: Iterable[JobStatus]) -> list[TreeNode]:
    """The jobs of a workflow: `2.1` is below `2` if that is a job, else beside it; in the order of steps."""
    below: dict[str, list[JobStatus]] = {}
    every = sorted(jobs, key=_order)
    paths = {job.step for job in every if job.step}
    for job in every:
        below.setdefault(_above(job.step or "", paths), []).append(job)

    def nodes(path: str) -> list[TreeNode]:
        return [
            TreeNode(job=job, children=nodes(job.step) if job.step else ()) for job in below.pop(path, ())
        ]

    return nodes("")


def _above(step: str, paths: set[str]) -> str:
    while "." in step:
        step = step.rpartition(".")[0]
        if step in paths:
            return step
    return ""


def _order(job: JobStatus) -> tuple[bool, list[tuple[int, str]], str]:
    step = job.step or ""
    parts = [(int(part), "") if _NUMBER.fullmatch(part) else (-1, part) for part in step.split(".")]
    return not step, parts, job.job_id


def descendants(job: JobStatus, find: Callable[[str], JobStatus | None]) -> Family:
    """A job and those it asked for, and so on."""
    left = MOST_NODES

    def node(it: JobStatus, level: int) -> TreeNode:
        nonlocal left
        children = []
        for child_id in reversed(it.children):  # they come newest first
            if left <= 0 or level >= _MOST_LEVELS:
                left = -1
                break
            child = find(child_id)
            if child is not None:
                left -= 1
                children.append(node(child, level + 1))
        return TreeNode(job=it, children=children)

    top = node(job, 0)
    return Family([top], left >= 0)
