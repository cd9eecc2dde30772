"""The task behind a group that nothing takes the results of: its result is their list."""

from typing import Any

from consumers.context import Context
from consumers.definition import Task
from consumers.options import TaskOptions
from schemas.workflow import GATHER


async def gather(ctx: Context, results: list[Any]) -> list[Any]:
    """The results of a group, in the order of its members."""
    return results


GATHER_TASK = Task[..., Any](function=gather, settings=TaskOptions(name=GATHER, order="none"))
