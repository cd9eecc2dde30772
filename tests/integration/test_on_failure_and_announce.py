"""How a job ended is told to its `on_failure` task and announced to other services, once each."""

import asyncio
from pathlib import Path
from typing import Any

import orjson

from events.topics import announcements_topic
from schemas.job import JOB_COMPLETED, JOB_FAILED
from tests.integration.conftest import MakeTopic
from tests.integration.consuming import records_of
from tests.integration.observing import (
    event,
    events_state,
    header,
    job_of,
    jobs_state,
    notes,
    observing,
    publish,
    topic_of,
)
from tests.waiting import until

# task → (reason, attempts)
FAILING = {"failing": ("failed", 1), "exhausting": ("exhausted", 2), "expiring": ("expired", 1)}
TYPES = {
    "completing": "completed",
    "failing": "failed",
    "exhausting": "exhausted",
    "expiring": "expired",
    "discarding": "discarded",
    "elsewhere": "elsewhere",
}


async def test_the_end_of_a_job_is_told(
    broker: str, app_id: str, tmp_path: Path, make_topic: MakeTopic
) -> None:
    own_topic = await make_topic("told")

    async def all_finished() -> bool:
        await asyncio.sleep(0.2)
        events, jobs = await events_state(broker, app_id), await jobs_state(broker, app_id)
        return len(events.finished) == len(TYPES) and len(jobs.finished) == len(FAILING)

    async with observing(broker, app_id, tmp_path, "reporting", OWN_TOPIC=own_topic):
        events = [event(f"report.{type}", task) for task, type in TYPES.items()]
        await publish(broker, topic_of(app_id), *events)
        await until(all_finished, within_seconds=90)
    told = {note.facts["failure"]["task"]: note.facts["failure"] for note in notes(tmp_path, "cleaned")}
    assert len(notes(tmp_path, "cleaned")) == len(FAILING)
    for task, (reason, attempts) in FAILING.items():
        assert told[task] == failure_document(task, reason, attempts)
    await _check_announced(broker, app_id)
    (record,) = await records_of(broker, own_topic)
    assert header(record, "ce_type") == JOB_COMPLETED
    assert header(record, "ce_subject") == job_of("elsewhere", "elsewhere")


def failure_document(task: str, reason: str, attempts: int) -> dict[str, Any]:
    kind = "consumers.verdicts.Fail" if reason == "failed" else "ConnectionError"
    return {
        "job_id": job_of(task, task),
        "task": task,
        "attempts": attempts,
        "event": {"id": task, "type": f"report.{TYPES[task]}", "source": "/observed"},
        "reason": reason,
        "error": {"type": kind, "message": "as it must"},
    }


async def _check_announced(broker: str, app_id: str) -> None:
    records = await records_of(broker, announcements_topic(app_id))
    announced = {header(record, "ce_subject"): record for record in records}
    wanted = {job_of(task, task): task for task in ("completing", *FAILING)}
    assert announced.keys() == wanted.keys()
    assert len(records) == len(wanted)
    for job_id, task in wanted.items():
        record = announced[job_id]
        assert record.key == job_id.encode()
        assert header(record, "ce_type") == (JOB_FAILED if task in FAILING else JOB_COMPLETED)
        data = orjson.loads(record.value)
        assert (data["job_id"], data["task"], data["event_id"]) == (job_id, task, task)
        assert data["attempts"] == FAILING.get(task, ("", 1))[1]
        assert data.get("reason") == FAILING.get(task, (None,))[0]
