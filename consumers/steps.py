"""Steps: parts of a job whose effect happens once. The result is journaled before the handler gets it,
so an attempt after a crash finds it and goes on from there.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from consumers.errors import StepRefused

if TYPE_CHECKING:
    from consumers.context import JobPort
    from consumers.engine.job import Job


class Step(NamedTuple):
    """Which step runs. Hand `key` to the callee: it is the same whenever this step is repeated."""

    name: str
    key: str
    attempt: int


class StepRunner:
    """The steps of one attempt."""

    __slots__ = ("_job", "_port", "_used")

    def __init__(self, job: "Job", port: "JobPort") -> None:
        self._job = job
        self._port = port
        self._used: set[str] = set()

    async def run(
        self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The kept result, or that of `fn` once it is kept."""
        self._take(name)
        steps = self._job.steps
        if steps is not None and name in steps:
            return steps[name]
        try:
            return await self._keep(name, await self._call(name, fn, args, kwargs))
        except BaseException:
            self._used.discard(name)
            raise

    def _take(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise StepRefused(f"step({name!r:.60}): the name is text")
        if name in self._used:
            raise StepRefused(
                f"step {name!r} was used already in this attempt: a name stands for one result, "
                f"so give each its own, such as f'{name}/{{number}}'"
            )
        self._used.add(name)

    async def _call(
        self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if "step" not in kwargs and _takes_step(fn):
            kwargs = {**kwargs, "step": Step(name, f"{self._job.id}:{name}", self._job.attempt)}
        result = fn(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

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
