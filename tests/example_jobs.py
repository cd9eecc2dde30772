"""Jobs, letters and schedules that are made up, ugly ones among them."""

import datetime as dt
from typing import Any

from events.gateway.pages.source import LetterLine, LetterView, ScheduleLine
from schemas.job import JobState
from schemas.status import JobAttempt, JobError, JobEvent, JobOrigin, JobProgress, JobStatus

NOON = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.UTC)
SCRIPT = "<script>document.title='taken'</script>"
STACK = 'Traceback (most recent call last):\n  File "mail.py", line 12, in send_email\n' + "    deep\n" * 40


def job(job_id: str = "job-1", **known: Any) -> JobStatus:
    """A job that completed, but for what is said."""
    told: dict[str, Any] = {
        "job_id": job_id,
        "task": "send_email",
        "state": JobState.COMPLETED,
        "revision": 2,
        "attempt": 1,
        "source": "jobs",
        "partition": 0,
        "enqueued_at": NOON,
        "started_at": NOON + dt.timedelta(seconds=1),
        **known,
    }
    state = JobState(told["state"])
    if state.finished:
        told.setdefault("finished_at", NOON + dt.timedelta(seconds=3.4))
    return JobStatus(finished=state.finished, **told)


FAILED = job(
    "5b1f6f0e-58a0-5c6f-9b5b-0d0f3c1a9d11",
    state=JobState.FAILED,
    attempt=3,
    worker="worker-7f9c",
    error=JobError(type="smtplib.SMTPServerDisconnected", message=f"{SCRIPT} hung up", stack=STACK),
    attempts=[
        JobAttempt(
            n=n,
            outcome="failed" if n == 3 else "timed_out" if n == 2 else "retrying",
            started_at=NOON + dt.timedelta(minutes=n),
            ended_at=NOON + dt.timedelta(minutes=n, seconds=30),
            worker="worker-7f9c",
            error=JobError(
                type="smtplib.SMTPServerDisconnected",
                message=f"{SCRIPT} hung up",
                stack=STACK if n == 3 else None,
            ),
        )
        for n in (1, 2, 3)
    ],
    event=JobEvent(id="evt-1", type="flight.departed", source="/flights"),
    origin=JobOrigin(topic="flights", partition=1, offset=41),
    key="N14228",
)  # fmt: skip
RUNNING = job(
    "reindex-17",
    task="reindex",
    state=JobState.RUNNING,
    worker="worker-7f9c",
    progress=JobProgress(done=700, total=2000, note="reading airports", at=NOON),
)
RETRYING = job(
    "f0c9c1a2-0000-5000-8000-000000000000",
    task="call_webhook",
    state=JobState.RETRYING,
    attempt=2,
    due_at=NOON + dt.timedelta(hours=3),
    error=JobError(type="httpx2.ConnectTimeout", message="after 5 s"),
)
UGLY = job(
    "../job?id=1#x&y/\u202egpj.\u200bexe",
    task="task-" + "w" * 190,
    result={"html": SCRIPT, "long": "x" * 30_000, "nul": "\x00\x1b[31m"},
    cancel_reason="\ud800 half",
)
STEPS = [
    job("flow-1", task="collect", root="flow-1", step="2", state=JobState.PENDING, attempt=0),
    *(
        job(f"flow-1-{n}", task="download", root="flow-1", step=f"1.{n}", parent="flow-1-0")
        for n in range(2, 12)
    ),
    job("flow-1-0", task="list_files", root="flow-1", step="0"),
]  # fmt: skip
JOBS = [FAILED, RUNNING, RETRYING, UGLY, job("welcome-17"), *STEPS]

LETTER = LetterLine(
    id="jobs:0:12",
    topic="headrace.jobs.dlq",
    partition=0,
    offset=12,
    reason="exhausted",
    job_id=FAILED.job_id,
    task=FAILED.task,
    at=NOON,
)
BINARY = LetterLine(
    id="flights:3:9", topic="headrace.flights.dlq", partition=3, offset=9, reason="undecodable", at=NOON
)
LETTERS = {
    LETTER.id: LetterView(
        line=LETTER,
        facts={
            "headrace-reason": "exhausted",
            "headrace-attempts": "3",
            "headrace-origin-topic": "headrace.jobs",
            "headrace-origin-partition": "0",
            "headrace-origin-offset": "41",
            "headrace-exception-type": "ValueError",
            "headrace-exception-message": SCRIPT,
            "headrace-exception-stack": STACK,
        },
        headers=[("ce_type", b"headrace.job.requested.v1"), ("trace", b"\x00\xff\x10"), ("empty", None)],
        key=b"N14228",
        value=b'{"task":"send_email","args":{"to":"<b>a@example.org</b>"}}',
    ),
    BINARY.id: LetterView(line=BINARY, facts={}, headers=[], key=None, value=bytes(range(256)) * 8),
}
SCHEDULES = [
    ScheduleLine(
        name="nightly",
        task="cleanup",
        timing="0 3 * * *",
        timezone="Europe/Berlin",
        next_at=NOON + dt.timedelta(hours=14),
        last_at=NOON - dt.timedelta(hours=10),
        outcome="fired",
        job_id="welcome-17",
        missed="once",
        overlap="allow",
    ),
    ScheduleLine(name="hourly-report", task="report", timing="0 * * * *", paused=True, outcome="skipped",
                 why="the job before still runs", last_at=NOON),
    ScheduleLine(name="never-yet", task="report", timing="every 30 s", next_at=NOON),
]  # fmt: skip
