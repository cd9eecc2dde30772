"""From what a handler noted to the records that are sent."""

from collections.abc import Iterable
from typing import Any

from consumers.engine.outbox import Outbox
from consumers.errors import OutputFailed
from consumers.outputs import JobRequest, Output
from events import codec
from events.requests import request_event
from events.workflow_requests import step_event, step_topic

Record = tuple[str, bytes | None, bytes | None, list[Any]]


class Sending:
    """Sends the outputs of jobs through an outbox."""

    def __init__(self, *, outbox: Outbox, app_id: str) -> None:
        self._outbox = outbox
        self._app_id = app_id

    async def check(self, outputs: Iterable[Output]) -> None:
        """Make sure the topics are there before the job is called completed. Raises `OutputFailed`."""
        for output in outputs:
            if output.topic is not None:
                await self._outbox.check(output.topic)

    async def send(self, outputs: Iterable[Output]) -> None:
        """Publish outputs in their order. Raises `OutputFailed`."""
        for output in outputs:
            try:
                record = self._record(output)
            except (TypeError, ValueError) as error:
                raise OutputFailed(f"an output cannot be written as JSON: {error}") from error
            await self._outbox.send(*record, partition=output.partition)

    def _record(self, output: Output) -> Record:
        if isinstance(output.event, JobRequest):
            request = output.event
            if request.workflow is not None:
                begun, root = request.workflow, request.job_id.encode()
                return step_topic(self._app_id, None), root, *codec.encode(step_event(self._app_id, begun))
            topic, key, event = request_event(
                self._app_id,
                request.task,
                request.args,
                request.options,
                job_id=request.job_id,
                event=request.event,
                id=request.id,
                parent=request.parent,
                root=request.root,
            )
            return topic, key, *codec.encode(event)
        assert output.topic is not None
        return output.topic, output.key, *codec.encode(output.event)
