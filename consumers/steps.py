"""Steps: parts of a job whose effect happens once. The result is journaled before the handler gets it,
so an attempt after a crash finds it and goes on from there.
"""

import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from consumers.errors import StepRefused

if TYPE_CHECKING:
    from consumers.context import JobPort
    from consumers.engine.job import Job


_NOTHING: Final = object()


class Step(NamedTuple):
    """Which step runs. Hand `key` to the callee: it is the same whenever this step is repeated."""

    name: str
    key: str
    attempt: int


class StepCall(NamedTuple):
    """What a step was asked to do."""

    name: str
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class StepRunner:
    """The steps of one attempt."""

    __slots__ = ("_job", "_port", "_used")

    def __init__(self, job: "Job", port: "JobPort") -> None:
        self._job = job
        self._port = port
        self._used: set[str] = set()

    async def run(self, call: StepCall) -> Any:
        """The kept result, or that of the function once it is kept."""
        with self._taken(call.name) as kept:
            if kept is not _NOTHING:
                return kept
            result = self._call(call)
            return await self._keep(call.name, await result if inspect.isawaitable(result) else result)

    def run_blocking(self, call: StepCall, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> Any:
        """The same in a thread: the function runs in this one, `wait` has coroutines run on the loop."""
        with self._taken(call.name) as kept:
            if kept is not _NOTHING:
                return kept
            result = self._call(call)
            return wait(self._keep(call.name, wait(result) if inspect.iscoroutine(result) else result))

    @contextmanager
    def _taken(self, name: str) -> Iterator[Any]:
        """What is kept under the name. The name is taken for this attempt, unless the step fails."""
        if not isinstance(name, str) or not name:
            raise StepRefused(f"step({name!r:.60}): the name is text")
        if name in self._used:
            raise StepRefused(
                f"step {name!r} was used already in this attempt: a name stands for one result, "
                f"so give each its own, such as f'{name}/{{number}}'"
            )
        self._used.add(name)
        try:
            yield _NOTHING if self._job.steps is None else self._job.steps.get(name, _NOTHING)
        except BaseException:
            self._used.discard(name)
            raise

    def _call(self, call: StepCall) -> Any:
        kwargs = call.kwargs
        if "step" not in kwargs and _takes_step(call.fn):
            kwargs = {**kwargs, "step": Step(call.name, f"{self._job.id}:{call.name}", self._job.attempt)}
        return call.fn(*call.args, **kwargs)

    async def _keep(self, name: str, result: Any) -> Any:
        kept = _as_json(name, result)
        if self._job.steps is None:
            self._job.steps = {}
        # Before it is durable: a step journaled at the same time must not write a record without it.
        self._job.steps[name] = kept
        try:
            await self._port.journal(self._job, name, kept)
        except BaseException:
            del self._job.steps[name]
            raise
        return kept


def _as_json(name: str, result: Any) -> Any:
    """What a later attempt would read back, so that the first one sees the same."""
    try:
        return orjson.loads(orjson.dumps(result))
    except TypeError as error:
        hint = "; return model.model_dump(mode='json')" if hasattr(result, "model_dump") else ""
        raise StepRefused(
            f"step {name!r}: its result, a {type(result).__name__}, is no JSON: {error}{hint}"
        ) from None


def _takes_step(fn: Callable[..., Any]) -> bool:
    try:
        return "step" in inspect.signature(fn).parameters
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False
