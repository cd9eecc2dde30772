"""Workflows: steps one after the other and side by side, written down before anything of them is asked for.

flow = chain(download.s(url), group(thumbnail.s(), scan.s()), publish.s(album="summer"))
job = await queue.enqueue(flow.on_failure(alert.s()))

A step gets the result of what came before it as its first argument that `s(…)` did not give, in the order of
the task's parameters; `si(…)` makes a step that takes nothing. A group's result is the list of its
members' results, in their order. Without the task's code, name it: `signature("download", url=url)`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, TypeVar

from pydantic_core import to_jsonable_python

from events.queue_options import EnqueueOptions
from schemas.duration import seconds_of
from schemas.workflow import Json

_NOT_OF_A_STEP: Final = ("job_id", "idempotency_key")


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Steps that hear how a workflow ended: asked for once, whatever is delivered again."""

    success: "tuple[Signature, ...]" = ()
    failure: "tuple[Signature, ...]" = ()
    finished: "tuple[Signature, ...]" = ()

    def as_json(self) -> Json:
        told = {"success": self.success, "failure": self.failure, "finished": self.finished}
        return {kind: [step.as_json() for step in steps] for kind, steps in told.items() if steps}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A step, a chain or a group. Values: every method gives another one.

    `callbacks` and `own` (options of the enqueue: `job_id`, `idempotency_key`) are given by the methods.
    """

    callbacks: Callbacks = field(default_factory=Callbacks)
    own: EnqueueOptions = field(default_factory=EnqueueOptions)

    def on_success(self, *steps: "Signature") -> Self:
        """Ask for `steps` once it completed; their first free argument is the last result."""
        return self._with(success=self.callbacks.success + _signatures(steps))

    def on_failure(self, *steps: "Signature") -> Self:
        """Ask for `steps` once it failed, was cancelled or expired, once however many of it did.

        Their first free argument: `{"job_id", "state", "step", "task", "error": {"type", "message"}}`.
        """
        return self._with(failure=self.callbacks.failure + _signatures(steps))

    def on_finished(self, *steps: "Signature") -> Self:
        """Ask for `steps` once it ended; their first free argument is as for `on_failure`, `error` None
        when it completed."""
        return self._with(finished=self.callbacks.finished + _signatures(steps))

    def _with(self, **changes: Any) -> Self:
        return replace(self, callbacks=replace(self.callbacks, **changes))

    def options(self, **options: Any) -> Self:
        """`job_id` or `idempotency_key` of the whole: equal ones are begun once. Raises ValueError."""
        return replace(self, own=_options(options, self.own, allowed=_NOT_OF_A_STEP))

    @property
    def named(self) -> bool:
        """Whether its options say which workflow it is."""
        return self.own.job_id is not None or self.own.idempotency_key is not None

    def as_json(self) -> Json:
        """The node of `schemas.workflow`. Raises ValueError for arguments that are not JSON."""
        node = self._node()
        told = self.callbacks.as_json()
        return node | {"on": told} if told else node

    def _node(self) -> Json:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(Workflow):
    """A task with some of its arguments, to be asked for later. `alone`: it takes no result."""

    task: str
    args: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = False

    def options(self, **options: Any) -> Self:
        """Options of this step: `defer_by` and `deadline` count from when its turn comes, `run_at`,
        `priority`, `headers`. Its id is the workflow's to give. Raises ValueError."""
        for name in _NOT_OF_A_STEP:
            if name in options:
                raise ValueError(f"{self.task}: {name} is of a whole workflow: chain(…).options({name}=…)")
        return replace(self, own=_options(options, self.own))

    def on_its_own(self) -> Self:
        """This step without the result of what came before it, like `task.si(…)`."""
        return replace(self, alone=True)

    def _node(self) -> Json:
        own, node = self.own, {"task": self.task}
        optional = {
            "args": dict(self.args),
            "alone": self.alone,
            "priority": None if own.priority == "normal" else own.priority,
            "defer_ms": None if own.defer_by is None else round(seconds_of(own.defer_by) * 1000),
            "at_ms": None if own.run_at is None else round(own.run_at.timestamp() * 1000),
            "headers": dict(own.headers),
        }
        if isinstance(own.deadline, dt.datetime):
            optional["deadline_at_ms"] = round(own.deadline.timestamp() * 1000)
        elif own.deadline is not None:
            optional["deadline_ms"] = round(seconds_of(own.deadline) * 1000)
        return node | {name: value for name, value in optional.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain(Workflow):
    """One after the other."""

    steps: tuple[Workflow, ...]

    def _node(self) -> Json:
        return {"chain": [step.as_json() for step in self.steps]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Workflow):
    """Side by side."""

    members: tuple[Workflow, ...]

    def _node(self) -> Json:
        return {"group": [member.as_json() for member in self.members]}


def signature(task: str, /, **args: Any) -> Signature:
    """A step by the name of its task; what its arguments have to be shows when it runs. Raises ValueError."""
    try:
        return Signature(task=task, args={name: to_jsonable_python(value) for name, value in args.items()})
    except ValueError as error:
        raise ValueError(f"{task}: its arguments cannot be written as JSON: {error}") from None


def chain(*steps: Workflow) -> Chain:
    """`steps` one after the other. When one fails for good those after it do not run, and the last job is
    failed naming it. Raises ValueError for no steps."""
    if not steps:
        raise ValueError("a chain of no steps does nothing: give it one")
    return Chain(steps=_workflows(steps))


def group(*members: Workflow) -> Group:
    """`members` side by side. It waits for all of them, also when one fails; then it fails naming the first
    and how many. A group of none completes at once with an empty list."""
    return Group(members=_workflows(members))


W = TypeVar("W", bound=Workflow)


def _workflows(parts: tuple[W, ...]) -> tuple[W, ...]:
    for part in parts:
        if not isinstance(part, Workflow):
            raise ValueError(f"{part!r:.60} is no step: write task.s(…), or signature('name', …)")
        if any(getattr(part.own, name) is not None for name in _NOT_OF_A_STEP):
            raise ValueError("job_id and idempotency_key are of the whole workflow, not of a part of it")
    return parts


def _signatures(steps: tuple[Signature, ...]) -> tuple[Signature, ...]:
    for step in steps:
        if not isinstance(step, Signature):
            raise ValueError(f"{step!r:.60} cannot be called back: give one step, task.s(…)")
    return _workflows(steps)


def _options(
    given: Mapping[str, Any], known: EnqueueOptions, allowed: tuple[str, ...] = ()
) -> EnqueueOptions:
    strange = sorted(set(given) - set(allowed or EnqueueOptions.__dataclass_fields__))
    if strange:
        raise ValueError(f"options of a workflow are job_id and idempotency_key, not {', '.join(strange)}")
    try:
        return replace(known, **given)
    except TypeError as error:
        raise ValueError(str(error)) from None
