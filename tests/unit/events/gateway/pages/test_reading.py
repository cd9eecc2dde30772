"""What pages say of what the read model knows, without one."""

from types import SimpleNamespace
from typing import Any

import pytest

from events.errors import BrokerDown, BrokerUnreachable
from events.gateway.pages.lagging import REMEMBERED_SECONDS, Lags, lag_lines
from events.gateway.pages.reading import GONE_MS, StatusPages
from events.gateway.pages.source import JobFilter, LagLine
from events.gateway.problems import Problem
from events.gateway.telling import SILENT_AFTER_MS
from events.lag import PartitionLag
from events.settings import ClientSettings
from events.status.errors import Behind
from events.status.query import BadCursor, JobPage, JobQuery
from schemas.job import JobState
from tests.example_jobs import RUNNING, STEPS, job

NOW_MS = 1_800_000_000_000


class Known:
    """A read model that knows what a test says."""

    def __init__(self, **known: Any) -> None:
        self.lag_seconds = 0.2
        self._known = known
        self.asked: list[JobQuery] = []

    async def job(self, _id: str) -> Any:
        found = self._known["job"]
        if isinstance(found, Exception):
            raise found
        return found

    def known(self, _id: str) -> Any:
        return self._known.get("known")

    async def jobs(self, wanted: JobQuery) -> JobPage:
        self.asked.append(wanted)
        if wanted.cursor is not None:
            raise BadCursor(wanted.cursor)
        return JobPage(self._known.get("jobs", []), self._known.get("cursor"))

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self._known.get(name, {})


def pages(**known: Any) -> StatusPages:
    return StatusPages(Known(**known), now_ms=lambda: NOW_MS)  # type: ignore[arg-type]


async def test_a_job_is_told_as_far_as_it_is_known_while_kafka_is_away() -> None:
    for why in (Behind("5 s"), BrokerDown("away")):
        known = await pages(job=why, known=RUNNING).job("reindex-17")
        assert known == (RUNNING, False)
        with pytest.raises(Problem, match="not-ready"):
            await pages(job=why).job("reindex-17")
    assert await pages(job=RUNNING).job("reindex-17") == (RUNNING, True)
    assert await pages(job=None).job("none") is None


async def test_a_broken_cursor_is_a_problem() -> None:
    with pytest.raises(Problem, match="invalid-request"):
        await pages().jobs(JobFilter(), limit=50, cursor="nonsense")


async def test_workers_that_are_silent_say_so_and_those_long_gone_are_left_out() -> None:
    overview = await pages(
        workers={
            "a-old": {"state": "ready", "at_ms": NOW_MS - GONE_MS - 1},
            "b-silent": {"state": "ready", "at_ms": NOW_MS - SILENT_AFTER_MS - 1},
            "c-stopped": {"state": "stopped", "at_ms": NOW_MS - SILENT_AFTER_MS - 1},
            "d-ready": {"state": "ready", "at_ms": NOW_MS, "partitions": {"jobs": [0, 2]}, "running": 3},
            "e-odd": {"at_ms": NOW_MS, "partitions": None, "release": 7},
        }
    ).overview()

    assert [(worker.name, worker.state) for worker in overview.workers] == [
        ("d-ready", "ready"), ("e-odd", "unknown"), ("b-silent", "silent"), ("c-stopped", "stopped"),
    ]  # fmt: skip
    assert overview.workers[0].partitions == {"jobs": [0, 2]}


async def test_tasks_are_those_announced_and_those_of_jobs() -> None:
    overview = await pages(
        tasks={
            "send": {"doc": "Send it.\nMore.", "on": [{"type": "a.b"}]},
            "gone": {"removed": True},
            "odd": {"on": 7, "doc": 7},
        },
        counts={"gone": {JobState.FAILED: 2}, "send": {JobState.FAILED: 1}},
        letter_counts={"jobs": 2, "flights": 1},
    ).overview()

    assert [(task.name, task.announced, task.doc, list(task.on)) for task in overview.tasks] == [
        ("gone", False, None, []),
        ("odd", True, None, []),
        ("send", True, "Send it.", ["a.b"]),
    ]
    assert overview.counts[JobState.FAILED] == overview.letters == 3


async def test_schedules_are_told_with_and_without_a_cursor() -> None:
    told = await pages(
        schedules={
            "nightly": {
                "task": "cleanup",
                "cron": "0 3 * * *",
                "timezone": "UTC",
                "cursor": {
                    "next_ms": NOW_MS,
                    "paused": True,
                    "last_outcome": {"scheduled_ms": NOW_MS - 1000, "outcome": "skipped", "why": "paused"},
                },
            },
            "often": {"task": "tick", "every_seconds": 0.5, "cursor": None},
        }
    ).schedules()

    assert [(line.name, line.timing, line.paused, line.why) for line in told] == [
        ("nightly", "0 3 * * *", True, "paused"),
        ("often", "every 0.5 s", False, None),
    ]
    assert told[1].next_at is None


async def test_a_workflow_is_asked_for_by_its_root() -> None:
    family = await pages(jobs=STEPS, cursor="more").family(STEPS[1])
    assert not family.is_whole
    assert len(family.nodes) == len(STEPS)
    alone = await pages().family(job("alone"))
    assert [node.job.job_id for node in alone.nodes] == ["alone"]


async def test_a_letter_that_is_gone_is_none_and_one_kafka_keeps_back_a_problem() -> None:
    assert await pages(letter=None).letter("x") is None
    facts = {"id": "jobs:0:1", "source": "jobs"}

    async def record(_facts: dict[str, Any]) -> None:
        return None

    async def away(_facts: dict[str, Any]) -> None:
        raise BrokerDown("away")

    for read, expected in ((record, None), (away, Problem)):
        reader = SimpleNamespace(letter=lambda _id: facts, letter_record=read)
        source = StatusPages(reader)  # type: ignore[arg-type]
        if expected is None:
            assert await source.letter("jobs:0:1") is None
        else:
            with pytest.raises(expected, match="kafka-unavailable"):
                await source.letter("jobs:0:1")


async def test_lags_are_asked_for_every_few_seconds_and_are_none_while_kafka_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[Any] = [[lag("flights", 0, 3, 1.5)], BrokerUnreachable("away"), [lag("flights", 0, 4, None)]]
    now = 100.0

    async def read(_settings: ClientSettings, **_bounds: float) -> Any:
        answer = said.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("events.gateway.pages.lagging.read_lag", read)
    lags = Lags(ClientSettings(), clock=lambda: now)
    assert [await lags.read(), await lags.read()] == [[LagLine("flights", 3, 1.5)]] * 2
    now += REMEMBERED_SECONDS
    assert list(await lags.read()) == []
    now += REMEMBERED_SECONDS
    assert await lags.read() == [LagLine("flights", 4, None)]


def lag(topic: str, partition: int, records: int, seconds: float | None) -> PartitionLag:
    return PartitionLag(topic, partition, 100, 100 - records, records, seconds)


def test_a_topic_is_as_far_behind_as_its_partitions_together_and_waits_as_long_as_the_slowest() -> None:
    lags = [lag("b", 0, 2, 0.5), lag("a", 0, 0, 0.0), lag("b", 1, 3, 90.0), lag("b", 2, 4, None)]
    assert lag_lines(lags) == [LagLine("a", 0, 0.0), LagLine("b", 9, 90.0)]
