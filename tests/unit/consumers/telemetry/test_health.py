import pytest

from consumers.telemetry.health import Check, Health, WorkerState
from tests.unit.consumers.telemetry.clock import Clock


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(loop_seconds=60, poll_seconds=30, kafka_seconds=15, monotonic=clock.monotonic)


def make_ready(health: Health) -> None:
    health.state = WorkerState.READY
    health.assigned(3)
    health.kafka(True)
    health.polled()
    health.beat()


def failing(health: Health) -> set[str]:
    return {name for name, check in health.ready().checks.items() if not check.ok}


def test_a_worker_at_work_is_ready(health: Health) -> None:
    make_ready(health)
    assert health.ready().ok
    assert health.live().ok
    assert health.ready().document() == {
        "status": "ok",
        "checks": {
            "state": {"ok": True, "detail": "ready"},
            "group": {"ok": True, "detail": "3 partitions"},
            "kafka": {"ok": True, "detail": "last contact 0.0 s ago"},
            "polling": {"ok": True, "detail": "last fetch 0.0 s ago"},
            "loop": {"ok": True, "detail": "last beat 0.0 s ago"},
        },
    }


def test_a_starting_worker_lives_and_is_not_ready(health: Health) -> None:
    assert health.live().ok
    assert failing(health) == {"state", "group", "kafka"}


def test_restoring_is_not_ready_and_says_how_much_is_left(health: Health) -> None:
    make_ready(health)
    health.assigned(3, restore_remaining=500)
    assert failing(health) == {"group"}
    assert health.ready().checks["group"].detail == "500 state records still to restore"


def test_a_spare_worker_is_ready(health: Health) -> None:
    make_ready(health)
    health.assigned(0)
    assert health.ready().ok


def test_a_rebalance_under_way(health: Health) -> None:
    make_ready(health)
    health.unassigned()
    assert failing(health) == {"group"}


@pytest.mark.parametrize("state", [state for state in WorkerState if state is not WorkerState.READY])
def test_only_ready_is_ready(health: Health, state: WorkerState) -> None:
    make_ready(health)
    health.state = state
    assert health.state is state
    assert failing(health) == {"state"}


def test_kafka_away_is_no_reason_to_die(health: Health) -> None:
    make_ready(health)
    health.kafka(False)
    assert failing(health) == {"kafka"}
    assert health.live().ok
    health.kafka(True)
    assert health.ready().ok


def test_when_kafka_was_last_heard_is_told_as_it_is(health: Health, clock: Clock) -> None:
    make_ready(health)
    clock.advance(20)
    health.kafka(True, heard=clock.monotonic() - 7.5)
    assert health.ready().checks["kafka"] == Check(True, "last contact 7.5 s ago")
    health.kafka(False, heard=clock.monotonic() - 12)
    assert health.ready().checks["kafka"] == Check(False, "last contact 12.0 s ago")


def test_silence_of_kafka_counts_as_away(health: Health, clock: Clock) -> None:
    make_ready(health)
    clock.advance(16)
    health.polled()
    health.beat()
    assert failing(health) == {"kafka"}


def test_a_consumer_that_does_not_come_back(health: Health, clock: Clock) -> None:
    make_ready(health)
    clock.advance(31)
    health.kafka(True)
    health.beat()
    assert failing(health) == {"polling"}
    assert health.live().ok


def test_a_blocked_loop_is_a_reason_to_die(health: Health, clock: Clock) -> None:
    make_ready(health)
    clock.advance(61)
    assert not health.live().ok
    assert health.live().document()["status"] == "failing"
