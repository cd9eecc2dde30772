"""What went in is what metrics and log say became of it."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from schemas.cloudevent import CloudEvent
from tests.integration.conftest import MakeTopic
from tests.integration.probing import happened, log_lines, probe, probed_worker, send
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

EXPECTED = {
    ("events_received_total", "probe.happened"): 4,
    ("events_unsubscribed_total", ""): 1,
    ("events_undecodable_total", "undecodable"): 1,
    ("jobs_started_total", ""): 3,
    ("jobs_finished_total", "completed"): 2,
    ("jobs_finished_total", "dead_lettered"): 1,
    ("jobs_finished_total", "skipped"): 1,
    ("dead_letters_total", "exhausted"): 1,
    ("dead_letters_total", "undecodable"): 1,
    ("telemetry_errors_total", ""): 0,
}


async def counted(worker: TaskWorker) -> dict[tuple[str, str], float]:
    """Counters above zero, and telemetry's own errors, by name and the label that tells them apart."""
    found = {}
    for family in text_string_to_metric_families((await probe(worker, "/metrics"))[1]):
        for sample in family.samples:
            name = sample.name.removeprefix("headrace_")
            labels = sample.labels
            told_by = labels.get("type") or labels.get("outcome") or labels.get("reason") or ""
            if name.endswith("_total") and name != sample.name and (sample.value or "telemetry" in name):
                found[name, told_by] = sample.value
    found.pop(("rebalances_total", ""), None)
    return found


async def test_metrics_and_log_add_up(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic("probe")
    worker = probed_worker(broker, app_id, tmp_path, topic)
    other = CloudEvent(type="probe.ignored", source="/probe", id="9", data={})
    try:
        await worker.start()
        await send(broker, topic, happened("1"), happened("2"), happened("3", fail=True), other, b"garbage")
        await send(broker, topic, happened("1"))

        async def as_expected() -> bool:
            assert await counted(worker) == EXPECTED
            return True

        await until(as_expected, within_seconds=60)
    finally:
        await worker.stop()
    lines = log_lines(worker)
    names = [
        line["event"] for line in lines if line["event"].startswith("task_") or "observed" in line["event"]
    ]
    assert {name: names.count(name) for name in names} == {
        "task_started": 3,
        "observed": 2,
        "task_completed": 2,
        "task_failed": 1,
        "task_dead_lettered": 1,
    }
    (failed,) = [line for line in lines if line["event"] == "task_failed"]
    assert (failed["event_id"], failed["error"], failed["attempt"]) == ("3", "as asked", 1)
    assert (failed["topic"], failed["partition"], failed["offset"]) == (topic, 0, 2)
    assert failed["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert "hush-hush" not in (tmp_path / "worker.log").read_text()
