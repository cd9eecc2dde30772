"""Workflows as they travel: steps, chains and groups as JSON, and what is to follow a job.

A node is one of
  {"task", "args"?, "alone"?, "priority"?, "defer_ms"?, "at_ms"?, "deadline_ms"?, "headers"?}   a step
  {"chain": [node…]}      one after the other, each gets the result of the one before
  {"group": [node…]}      side by side; its result is the list of theirs, in this order
and any of them may have {"on": {"success"|"failure"|"finished": [step…]}}.

`JobRequested.then` is a stack of frames, the innermost first:
  {"on", "id", "path"}            tell these steps how the job ended
  {"rest": [node…], "id", "path", "next"}   go on with the rest of a chain whose last job is `id`
  {"join", "n", "partition"}      it is the n-th of a group

`JobRequested.input` says what its first free argument gets:
  {"value"}                                      this
  {"result": {source, partition, offset, job_id}}   that job's result, in the ledger at `offset` or later
  {"join", "of"}                                 the results of a group, from the records beside the job
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.job import MAX_JOB_ID_CHARACTERS, JobState

STEP_ENDED: Final = "headrace.step.ended.v1"
WORKFLOW_CANCELLED: Final = "headrace.workflow.cancelled.v1"
GATHER: Final = "headrace.gather"
"""The task whose result is the list of results of a group that nothing takes otherwise."""
INLINE_BYTES: Final = 8 << 10
"""A result up to this size travels with the request of the next step, a larger one stays in the ledger and
is referred to."""

Json = dict[str, Any]


class StepEnded(BaseModel):
    """Data of `headrace.step.ended.v1`: the n-th child of a group ended. `input` is its result, when it
    completed; `error` why not, when it did not."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    join: str = Field(min_length=1, max_length=MAX_JOB_ID_CHARACTERS)
    n: int = Field(ge=0)
    job_id: str
    task: str
    step: str | None = None
    state: JobState
    input: Json | None = None
    error: Json | None = None


class WorkflowCancelled(BaseModel):
    """Data of `headrace.workflow.cancelled.v1`, told to every partition of the jobs topic."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    root: str = Field(min_length=1, max_length=MAX_JOB_ID_CHARACTERS)
    reason: str = ""
    command_id: str = ""


def last_task(node: Json) -> str:
    """The task of the job a workflow ends with."""
    if "chain" in node:
        return last_task(node["chain"][-1])
    return str(node.get("task", GATHER))
