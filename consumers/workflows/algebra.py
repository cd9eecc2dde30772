"""What a workflow does first, and what when a job of it ended. Pure, so that a repeat does the same.

The id of a job is its workflow's for the last one, for every other derived from that and its path: `2.1` is
the first part of the second. A stack of frames travels with each job (`schemas.workflow`); a chain waits in
nobody's memory.
"""

from dataclasses import dataclass, replace
from typing import Any

from consumers.workflows.actions import Action, Ask, Break, Ended, Open, Report
from schemas.job import JobRequested, JobState, derived_id
from schemas.workflow import GATHER, Json

Frames = list[Json]
_HOW = {
    JobState.CANCELLED: "was cancelled",
    JobState.EXPIRED: "expired",
    JobState.DISCARDED: "was discarded",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a workflow: `id` is of the job that the part there ends with, `parent` is what led to it."""

    root: str
    id: str
    path: str
    parent: str | None
    now_ms: int

    def at(self, path: str) -> "Place":
        return replace(self, path=path, id=derived_id(self.root, f"step {path}", 0))

    def below(self, number: int) -> str:
        """The path of the n-th part of what is here."""
        return f"{self.path}.{number}" if self.path else str(number)


def begin(node: Json, place: Place, input: Json | None, then: Frames) -> Action:
    """Begin a part of a workflow that gets `input`; `then` is what follows it."""
    if node.get("on"):
        then = [{"on": node["on"], "id": place.id, "path": place.path}, *then]
    if "chain" in node:
        return _rest(node["chain"], 1, place, input, then)
    if "group" in node:
        return _open(node, place, input, then)
    return _ask(node, place, input, then)


def begin_member(opened: Open, n: int, *, partition: int, parent: str | None, now_ms: int) -> Action:
    """Begin the n-th member of a group whose join is on `partition`."""
    place = Place(opened.request.root or opened.request.job_id, "", opened.path, parent, now_ms)
    frame = {"join": opened.join, "n": n, "partition": partition}
    return begin(opened.members[n], place.at(place.below(n + 1)), opened.input, [frame])


def proceed(then: Frames, ended: Ended, *, root: str, now_ms: int) -> list[Action]:
    """What a job that ended leads to."""
    actions: list[Action] = []
    for index, frame in enumerate(then):
        if "on" in frame:
            actions += _callbacks(frame, ended, root, now_ms)
        elif "rest" in frame:
            outer = then[index + 1 :]
            actions.append(_go_on(frame, ended, root, outer, now_ms))
            break
        else:
            actions.append(Report(frame["join"], frame["n"], frame["partition"], ended))
            break
    return actions


def broken(request: JobRequested, ended: Ended) -> JobRequested:
    """The request of a job that will not run, because `ended` did not end well."""
    cancelled = ended.state is JobState.CANCELLED
    cause = ended.failure()
    reason = {
        "state": (JobState.CANCELLED if cancelled else JobState.FAILED).value,
        "message": message_of(cause),
        "cause": cause,
    }
    return request.model_copy(update={"broken": reason, "input": None, "workflow": None})


def message_of(cause: Json) -> str:
    """One line that names the step that failed."""
    how, error = _HOW.get(JobState(cause["state"]), "failed"), cause.get("error") or {}
    why = f": {error.get('type')}: {error.get('message')}" if error else ""
    others = f"{cause['failed']} of {cause['of']} failed, the first: " if "of" in cause else ""
    return f"{others}step {cause['step']} ({cause['task']}) {how}{why}"


def _go_on(frame: Json, ended: Ended, root: str, outer: Frames, now_ms: int) -> Action:
    place = Place(root, frame["id"], frame["path"], ended.job_id, now_ms)
    if ended.well:
        return _rest(frame["rest"], frame["next"], place, ended.input, outer)
    task = last_task_of(frame["rest"][-1])
    step = place.below(frame["next"] + len(frame["rest"]) - 1)
    request = JobRequested(
        task=task, job_id=place.id, parent=ended.job_id, root=root, step=step, then=outer or None
    )
    return Break(broken(request, ended))


def last_task_of(node: Json) -> str:
    """The task of the last job of a part."""
    while "chain" in node:
        node = node["chain"][-1]
    return str(node.get("task", GATHER))


def _rest(nodes: list[Json], number: int, place: Place, input: Json | None, then: Frames) -> Action:
    first, rest = nodes[0], nodes[1:]
    path = place.below(number)
    if not rest:
        return begin(first, replace(place, path=path), input, then)
    frame = {"rest": rest, "id": place.id, "path": place.path, "next": number + 1}
    return begin(first, place.at(path), input, [frame, *then])


def _ask(node: Json, place: Place, input: Json | None, then: Frames) -> Ask:
    not_before_ms, deadline_ms = node.get("at_ms"), node.get("deadline_at_ms")
    if "defer_ms" in node:
        not_before_ms = place.now_ms + node["defer_ms"]
    if "deadline_ms" in node:
        deadline_ms = place.now_ms + node["deadline_ms"]
    request = JobRequested(
        task=node["task"],
        job_id=place.id,
        args=node.get("args", {}),
        not_before_ms=not_before_ms,
        deadline_ms=deadline_ms,
        headers=node.get("headers", {}),
        parent=place.parent,
        root=place.root,
        step=place.path,
        then=then or None,
        input=None if node.get("alone") else input,
    )
    return Ask(request, node.get("priority"))


def _open(node: Json, place: Place, input: Json | None, then: Frames) -> Open:
    """A group. What follows it is the next step of its chain, where that is a step, else a job that only
    gathers."""
    join, members = derived_id(place.root, f"join {place.path}", 0), node["group"]
    results = {"join": join, "of": len(members)}
    follow = JobRequested(
        task=GATHER,
        job_id=place.id,
        parent=place.parent,
        root=place.root,
        step=place.path or None,
        then=then or None,
        input=results,
    )
    if then and "rest" in then[0] and "task" in then[0]["rest"][0]:
        frame, outer = then[0], then[1:]
        after = replace(place, id=frame["id"], path=frame["path"])
        asked = _rest(frame["rest"], frame["next"], after, results, outer)
        assert isinstance(asked, Ask)
        follow = asked.request
    workflow: dict[str, Any] = {"node": {"group": members}, "id": place.id, "path": place.path}
    request = JobRequested(
        task=follow.task,
        job_id=follow.job_id,
        parent=place.parent,
        root=place.root,
        step=follow.step,
        then=then or None,
        input=input,
        workflow=workflow,
    )
    return Open(request, follow, join, place.path, members, input)


def _callbacks(frame: Json, ended: Ended, root: str, now_ms: int) -> list[Action]:
    """Every callback is a job of its own, after which nothing follows."""
    told: Json = {
        "job_id": frame["id"],
        "state": ended.state.value,
        "step": None,
        "task": None,
        "error": None,
    }
    if not ended.well:
        cause = ended.failure()
        error = cause.get("error") or {}
        told |= {"step": cause["step"], "task": cause["task"], "error": error}
        told |= {name: cause[name] for name in ("failed", "of") if name in cause}
    inputs: dict[str, Json | None] = {"finished": {"value": told}}
    if ended.well:
        inputs["success"] = ended.input
    else:
        inputs["failure"] = {"value": told}
    actions: list[Action] = []
    for kind, input in inputs.items():
        for index, node in enumerate(frame["on"].get(kind, ())):
            path = f"{frame['path']}.on_{kind}".lstrip(".")
            id = derived_id(frame["id"], f"on_{kind} {frame['path']}", index)
            actions.append(_ask(node, Place(root, id, path, ended.job_id, now_ms), input, []))
    return actions
