"""From what a workflow wants next to the records that say so."""

from typing import assert_never

from consumers.outputs import Output
from consumers.workflows.actions import Action, Ask, Break, Open, Report
from events.workflow_requests import step_event, step_topic
from schemas.cloudevent import CloudEvent
from schemas.job import JobRequested, derived_id
from schemas.workflow import STEP_ENDED, WORKFLOW_CANCELLED, StepEnded, WorkflowCancelled

Trace = dict[str, str]


def output_of(action: Action, app_id: str, trace: Trace) -> Output:
    """The record of an action. What concerns the whole workflow goes to the partition of its last job."""
    match action:
        case Ask(request, priority):
            event = step_event(app_id, request, trace=trace)
            return Output(step_topic(app_id, priority), request.job_id.encode(), event)
        case Open():
            return _to_root(action.request, "open", app_id, trace)
        case Break(request):
            return _to_root(request, "break", app_id, trace)
        case Report():
            return _report(action, app_id, trace)
        case _:
            assert_never(action)


def trace_of(event: CloudEvent) -> Trace:
    """The extensions by which a trace goes on."""
    return {
        name: event.extensions[name] for name in ("traceparent", "tracestate") if name in event.extensions
    }


def ended_of(report: Report) -> StepEnded:
    """What a join is told."""
    ended = report.ended
    error = None if ended.well else ended.failure()
    return StepEnded(
        join=report.join,
        n=report.n,
        job_id=ended.job_id,
        task=ended.task,
        step=ended.step,
        state=ended.state,
        input=ended.input,
        error=error,
    )


def cancel_output(cancelled: WorkflowCancelled, app_id: str, partition: int) -> Output:
    """The record that tells a partition that a workflow was cancelled."""
    event = CloudEvent(
        id=derived_id(cancelled.root, "cancelled", partition),
        source=f"/headrace/{app_id}",
        type=WORKFLOW_CANCELLED,
        raw_data=cancelled.model_dump_json().encode(),
    )
    return Output(step_topic(app_id, None), cancelled.root.encode(), event, partition)


def _to_root(request: JobRequested, what: str, app_id: str, trace: Trace) -> Output:
    event = step_event(app_id, request, id=derived_id(request.job_id, what, 0), trace=trace)
    return Output(step_topic(app_id, None), (request.root or request.job_id).encode(), event)


def _report(report: Report, app_id: str, trace: Trace) -> Output:
    event = CloudEvent(
        id=derived_id(report.ended.job_id, f"ended {report.join}", report.n),
        source=f"/headrace/{app_id}",
        type=STEP_ENDED,
        subject=report.ended.task,
        extensions=dict(trace),
        raw_data=ended_of(report).model_dump_json(exclude_none=True).encode(),
    )
    return Output(step_topic(app_id, None), report.join.encode(), event, report.partition)
