"""An event that comes again is skipped, whether its job is settled, parked or running."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.integration.observing import (
    committed,
    event,
    events_state,
    job_of,
    notes,
    observing,
    publish,
    topic_of,
)
from tests.integration.probing import probe
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

COPIES = 3


async def test_equal_events_run_once(broker: str, app_id: str, tmp_path: Path) -> None:
    topic, release = topic_of(app_id), tmp_path / "release"
    running = [event("repeated.in_flight", "plain"), event("repeated.in_flight", "retried", retry=True)]
    early = [event("repeated.settled", "settled"), event("repeated.parked", "parked")]
    jobs = {job_of("settled", "settled"), job_of("parked", "parked")}
    jobs |= {job_of("in_flight", id) for id in ("plain", "retried")}

    async def early_kept() -> bool:
        state = await events_state(broker, app_id)
        return job_of("settled", "settled") in state.finished and job_of("parked", "parked") in state.parked

    async def all_finished() -> bool:
        state = await events_state(broker, app_id)
        return state.finished.keys() == jobs and not state.parked

    async with observing(broker, app_id, tmp_path, "repeated", RELEASE=release) as worker:
        await publish(broker, topic, *early)
        await until(early_kept, within_seconds=60)
        await publish(broker, topic, *early * COPIES, *running * COPIES)
        await until(lambda: len(notes(tmp_path, "started", task="in_flight")) == 2, within_seconds=60)
        await until(lambda: _all_received(worker), within_seconds=60, saying="all copies were taken")
        release.touch()
        await until(all_finished, within_seconds=60)
    ran = [(note.task, note.event_id, note.attempt) for note in notes(tmp_path, "started")]
    assert sorted(ran) == [
        ("in_flight", "plain", 1),
        ("in_flight", "retried", 1),
        ("in_flight", "retried", 2),
        ("parked", "parked", 1),
        ("parked", "parked", 2),
        ("settled", "settled", 1),
    ]
    state = await events_state(broker, app_id)
    assert {len(records) for records in state.finished.values()} == {1}
    (offset,) = [each for place, each in (await committed(broker, app_id)).items() if place.topic == topic]
    assert offset == len(state.records), "skipped ones hold nothing up"


async def _all_received(worker: TaskWorker) -> bool:
    _, text = await probe(worker, "/metrics")
    received = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "headrace_events_received_total"
    ]
    return sum(received) == 2 + 4 * COPIES
