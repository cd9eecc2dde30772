"""Workflows run without Kafka: a world that does what is wanted in any order, and sometimes twice."""

import random
from dataclasses import dataclass, field
from typing import Any

from consumers.workflows.actions import Action, Ask, Break, Ended, Open, Report
from consumers.workflows.algebra import Place, begin, begin_member, broken, proceed
from schemas.job import JobRequested, JobState
from schemas.workflow import GATHER, Json

ROOT = "w"


class Failed(Exception):
    """A step of the workflow failed."""


def run_task(task: str, args: Json, given: list[Any]) -> Any:
    """What the tasks of these workflows do: `fail` fails, any other gives its name and what it got."""
    if task == "fail":
        raise Failed
    return given[0] if task == GATHER else [task, args, *given]


def interpret(node: Json, given: list[Any]) -> Any:
    """The meaning of a workflow, told in the plainest way. Raises Failed."""
    if "chain" in node:
        for step in node["chain"]:
            given = [interpret(step, given)]
        return given[0]
    if "group" in node:
        results, failed = [], False
        for member in node["group"]:
            try:
                results.append(interpret(member, given))
            except Failed:
                failed = True
        if failed:
            raise Failed
        return results
    return run_task(node["task"], node.get("args", {}), [] if node.get("alone") else given)


@dataclass
class World:
    """Takes actions in an order of its own; `twice` is how likely one is done again."""

    choose: random.Random
    twice: float = 0.3
    ended: dict[str, Ended] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    asked: dict[str, JobRequested] = field(default_factory=dict)
    opened: dict[str, Open] = field(default_factory=dict)
    joined: dict[str, dict[int, Ended]] = field(default_factory=dict)
    todo: list[Action] = field(default_factory=list)

    def run(self, node: Json) -> Ended:
        self.todo.append(begin(node, Place(ROOT, ROOT, "", None, 0), None, []))
        while self.todo:
            action = self.todo.pop(self.choose.randrange(len(self.todo)))
            if self.choose.random() < self.twice:
                self.todo.append(action)
            self._do(action)
        return self.ended[ROOT]

    def _do(self, action: Action) -> None:
        match action:
            case Ask(request):
                self._job(request)
            case Break(request):
                self._end(request, broken=request.broken)
            case Open():
                if action.join not in self.opened:
                    self.opened[action.join], self.joined[action.join] = action, {}
                for n in range(len(action.members)):
                    self.todo.append(begin_member(action, n, partition=0, parent=None, now_ms=0))
                self._join(action.join)
            case Report(join, n, _, ended):
                self.joined[join].setdefault(n, ended)
                self._join(join)

    def _join(self, id: str) -> None:
        opened, joined = self.opened[id], self.joined[id]
        if len(joined) < len(opened.members):
            return
        bad = [ended for n, ended in sorted(joined.items()) if not ended.well]
        if bad:
            self._end(opened.follow, broken=broken(opened.follow, bad[0]).broken)
            return
        results = [(joined[n].input or {})["value"] for n in range(len(joined))]
        given = None if opened.follow.input is None else {"value": results}
        self._job(opened.follow.model_copy(update={"input": given}))

    def _job(self, request: JobRequested) -> None:
        """Runs once for each id: the ledger's work."""
        if request.job_id not in self.ended:
            self.asked[request.job_id] = request
            self._end(request)

    def _end(self, request: JobRequested, broken: Json | None = None) -> None:
        if request.job_id in self.ended:
            return
        state, result, error = JobState.COMPLETED, None, None
        if broken is None:
            self.ran.append(request.job_id)
            try:
                given = [] if request.input is None else [request.input["value"]]
                result = {"value": run_task(request.task, request.args, given)}
            except Failed:
                state, error = JobState.FAILED, {"type": "Failed", "message": "as told"}
        else:
            state = JobState(broken["state"])
        cause = broken["cause"] if broken else None
        ended = Ended(request.job_id, request.task, request.step, state, result, error, cause)
        self.ended[request.job_id] = ended
        self.todo += proceed(request.then or [], ended, root=ROOT, now_ms=0)
