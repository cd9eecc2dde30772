"""A workflow as a tree: who asked for whom, as far as it is known, and no further than a bound."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from events.status.folded import Folded, Listing
from events.status.keys import PARENT, ROOT, entry_of, related
from events.status.query import job_of
from events.status.store import View
from schemas.job import JobState

COUNTED_AT_MOST: Final = 100_000


@dataclass(slots=True)
class Node:
    """A job and those it asked for, oldest first."""

    job_id: str
    listing: Listing
    step: str | None
    children: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Tree:
    """The jobs nobody of the tree asked for, with all below them."""

    root: str
    tops: list[Node]
    states: dict[JobState, int]
    truncated: bool


def tree_of(store: View, job_id: str, limit: int) -> Tree | None:
    """The tree of the workflow a job belongs to, else of what it asked for; None for a job not known."""
    job = job_of(store, job_id)
    if job is None:
        return None
    listing = Listing(*job["i"])
    root = listing.root or job_id
    nodes: dict[str, Node] = {}
    states: Counter[JobState] = Counter()
    truncated = False
    for id, state in _members(store, root):
        states[state] += 1
        if len(nodes) >= limit:
            truncated = True
        elif (found := job_of(store, id)) is not None:
            nodes[id] = _node(id, found)
    return Tree(root, _nested(nodes), dict(states), truncated)


def _members(store: View, root: str) -> Iterator[tuple[str, JobState]]:
    """The root, the jobs of its workflow, and whoever was asked for by one of them, each once."""
    seen: set[str] = set()
    waiting = [root]
    top = job_of(store, root)
    if top is not None:
        seen.add(root)
        yield root, JobState(top["i"][1])
    for id, state in _listed(store, related(ROOT, root)):
        if id not in seen:
            seen.add(id)
            waiting.append(id)
            yield id, state
    while waiting and len(seen) < COUNTED_AT_MOST:
        for id, state in _listed(store, related(PARENT, waiting.pop())):
            if id not in seen:
                seen.add(id)
                waiting.append(id)
                yield id, state


def _listed(store: View, prefix: bytes) -> Iterator[tuple[str, JobState]]:
    for key, state in islice(store.scan(prefix), COUNTED_AT_MOST):
        yield entry_of(key, prefix).id.decode(), JobState(state.decode())


def _node(id: str, job: Folded) -> Node:
    step = (job.get("q") or {}).get("step")
    for parts in job.get("s", {}).values():
        for record in parts.values():
            step = record[2].get("step") or step
    return Node(id, Listing(*job["i"]), step if isinstance(step, str) else None)


def _nested(nodes: dict[str, Node]) -> list[Node]:
    tops = []
    for id, node in sorted(nodes.items(), key=lambda each: (each[1].listing.time_ms, each[0])):
        parent = nodes.get(node.listing.parent or "")
        if parent is None or _is_below(nodes, parent, id):
            tops.append(node)
        else:
            parent.children.append(node)
    return tops


def _is_below(nodes: dict[str, Node], node: Node, id: str) -> bool:
    """Whether going up from `node` meets `id`: jobs that claim to have asked for each other."""
    seen: set[str] = set()
    while node.job_id not in seen:
        if node.job_id == id:
            return True
        seen.add(node.job_id)
        above = nodes.get(node.listing.parent or "")
        if above is None:
            return False
        node = above
    return True
