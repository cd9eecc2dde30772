"""A state topic with a wrong partition count or policy: its source is refused and named, the others run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from events.topics import commands_topic, ledger_topic, retry_topic
from tests.integration.conftest import MakeTopic
from tests.integration.observing import event, notes, observed_worker, topic_of
from tests.integration.probing import log_lines, probe
from tests.integration.steering import ledger_of, publish_spread, running
from tests.integration.task_worker import TaskWorker
from tests.waiting import until


@pytest.fixture
def worker(broker: str, app_id: str, tmp_path: Path) -> TaskWorker:
    return observed_worker(
        broker, app_id, tmp_path, "two_sources", OTHER_TOPIC=f"{app_id}-other", default_partitions=2
    )


@pytest.mark.parametrize(
    ("topic", "partitions", "config", "said"),
    [
        (retry_topic, 1, {"cleanup_policy": "compact"}, ("has 1 partitions", "--partitions 2")),
        (
            ledger_topic,
            3,
            {"cleanup_policy": "compact,delete"},
            ("has 3", "they must agree", "--partitions 3"),
        ),
        (commands_topic, 5, {}, ("has 5", "they must agree", "--partitions 5")),
        (retry_topic, 2, {"cleanup_policy": "delete"}, ("cleanup.policy=delete", "headrace topics apply")),
    ],
)
async def test_only_its_source_is_refused(
    broker: str,
    app_id: str,
    make_topic: MakeTopic,
    worker: TaskWorker,
    tmp_path: Path,
    topic: Callable[[str, str], str],
    partitions: int,
    config: dict[str, str],
    said: tuple[str, ...],
) -> None:
    wrong = topic(app_id, f"{app_id}-other")
    await make_topic(topic_of(app_id), exact=True, partitions=2)
    await make_topic(f"{app_id}-other", exact=True, partitions=2)
    await make_topic(wrong, exact=True, partitions=partitions, **config)
    async with running(worker):
        events = [event("narrow.happened", f"n{number}") for number in range(6)]
        await publish_spread(broker, app_id, events, partitions=2)

        async def run_on() -> bool:
            return len(await ledger_of(broker, app_id)) == len(events)

        await until(run_on, within_seconds=60, saying="the other source runs on")
        assert (await probe(worker, "/health/ready"))[0] == 200
    refusals = [line for line in log_lines(worker) if line["event"] == "source_refused"]
    assert {line["source"] for line in refusals} == {f"{app_id}-other"}
    text = " ".join(line["error"] for line in refusals)
    assert f"{app_id}-other" in text
    for part in said:
        assert part in text
    assert {note.task for note in notes(tmp_path)} == {"narrow"}
