"""Events may say from when on their jobs are to run."""

import datetime as dt
from typing import Any

import pytest

from consumers import Context, task
from consumers.engine.reader import Read, Reader
from consumers.outcomes import DeadLettered
from consumers.registry import Registry, using
from events import codec
from events.queue_options import EnqueueOptions
from events.requests import request_event
from schemas.cloudevent import CloudEvent
from schemas.deadletter import Reason
from schemas.job import JobRequested
from schemas.state import Position, RawRecord

NOW_MS = 1_700_000_000_000


@pytest.fixture
def registry() -> Any:
    made = Registry()
    with using(made):
        yield made


def read(registry: Registry, **extensions: str) -> Read:
    event = CloudEvent(id="e", source="/s", type="door.opened", extensions=extensions, data={"door": 1})
    value, headers = codec.encode(event)
    reader = Reader(
        registry=registry,
        source="doors",
        jobs_topics=frozenset({"A.jobs"}),
        default_types={},
        now_ms=lambda: NOW_MS,
        patience_ms=1000,
    )
    (found,) = reader.read(RawRecord(None, value, tuple(headers), NOW_MS), Position("doors", 0, 1))
    return found


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2030-01-01T09:00:00+01:00", 1_893_484_800_000),
        ("2030-01-01t08:00:00.0004z", 1_893_484_800_001),
        ("1969-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
    ],
)
def test_jobs_start_not_before_it(registry: Registry, text: str, ms: int) -> None:
    @task(on="door.opened", topic="doors")
    async def close(ctx: Context, event: Any) -> None: ...

    assert read(registry, notbefore=text).job.not_before_ms == ms
    assert read(registry).job.not_before_ms is None


@pytest.mark.parametrize("text", ["", "tomorrow", "2030-01-01T09:00:00", "3600", "9999-12-31T23:59:59-05:00"])
def test_what_is_no_time_is_a_dead_letter(registry: Registry, text: str) -> None:
    @task(on="door.opened", topic="doors")
    async def close(ctx: Context, event: Any) -> None: ...

    decision = read(registry, notbefore=text).decision
    assert isinstance(decision, DeadLettered)
    assert decision.reason is Reason.INVALID
    assert decision.failure.message.startswith("extension notbefore: ")


def test_it_goes_along_to_where_equal_keys_meet(registry: Registry) -> None:
    @task(on="door.opened", topic="doors", idempotency_key=lambda event: "one")
    async def close(ctx: Context, event: Any) -> None: ...

    (output,) = read(registry, notbefore="2030-01-01T08:00:00Z").job.outputs or []
    assert output.event.options.run_at == dt.datetime(2030, 1, 1, 8, tzinfo=dt.UTC)  # type: ignore[union-attr]


def test_a_job_can_wait_for_years() -> None:
    for options, ms in (
        (EnqueueOptions(defer_by=dt.timedelta(days=20 * 365)), NOW_MS + 20 * 365 * 86_400_000),
        (EnqueueOptions(run_at=dt.datetime(2999, 1, 1, tzinfo=dt.UTC)), 32_472_144_000_000),
    ):
        _, _, event = request_event("A", "t", {}, options, now_ms=NOW_MS)
        assert JobRequested.model_validate_json(event.raw_data or b"").not_before_ms == ms
