from pathlib import Path

import pytest

from tests.bench.contest import CONTENDERS, Contender, Duty, Row
from tests.bench.events import KEYS, PARTITIONS, record
from tests.bench.machine import disturbance
from tests.bench.rounds import Sizes
from tests.bench.run import rotated
from tests.bench.settled import Settled
from tests.bench.tally import STEP, Tally, read_tally


def named(name: str) -> Contender:
    return next(one for one in CONTENDERS if one.name == name)


def test_a_duty_survives_the_environment() -> None:
    duty = Duty(
        row=Row.IO, topic="t", group="g", tally="file", bootstrap_servers="127.0.0.1:1", redis_port="2"
    )
    assert Duty.from_environment(duty.environment()) == duty


def test_a_tally_notes_the_first_job_and_every_step(tmp_path: Path) -> None:
    tally = Tally(str(tmp_path / "tally"))
    for _ in range(2 * STEP + 1):
        tally.done()
    assert [count for count, _ in read_tally(tmp_path / "tally")] == [1, STEP, 2 * STEP]


def test_a_tally_that_is_being_written_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "tally"
    assert read_tally(path) == []
    path.write_bytes(b"1 100\n500 20")
    assert read_tally(path) == [(1, 100)]


def test_arrivals_carry_how_long_they_took(tmp_path: Path) -> None:
    tally = Tally(str(tmp_path / "tally"))
    tally.arrived(7, 0)
    ((number, waited_ns),) = read_tally(tmp_path / "tally")
    assert number == 7
    assert waited_ns > 0


def test_a_full_run_has_the_sizes_that_were_promised() -> None:
    sizes = Sizes(events=300_000)
    assert sizes.jobs(named("headrace"), Row.EMPTY) == 300_000
    assert sizes.jobs(named("arq"), Row.EMPTY) == 40_000
    assert sizes.latency_messages == 1_000


@pytest.mark.parametrize("events", [0, 1_234, 60_001])
def test_small_runs_still_end_on_a_step_of_the_tally(events: int) -> None:
    sizes = Sizes(events=events)
    jobs = [sizes.jobs(one, row) for one in CONTENDERS for row in (Row.EMPTY, Row.IO)]
    assert all(count >= 2 * STEP and count % STEP == 0 for count in jobs)
    assert sizes.latency_messages >= 100


def test_records_are_spread_evenly_and_a_key_keeps_its_partition() -> None:
    partitions: dict[bytes, set[int]] = {}
    for number in (*range(60), *range(KEYS, KEYS + 60)):
        found = record(number)
        partitions.setdefault(found.key, set()).add(found.partition)
    assert len(partitions) == 60
    assert all(len(ones) == 1 for ones in partitions.values())
    assert {min(ones) for ones in partitions.values()} == set(range(PARTITIONS))


def test_every_record_is_another_cloudevent() -> None:
    ids = [dict(record(number).headers)["ce_id"] for number in range(100)]
    assert len(set(ids)) == 100


def test_each_round_begins_with_another_contender() -> None:
    assert [rotated(CONTENDERS, by)[0] for by in range(len(CONTENDERS) + 1)] == [*CONTENDERS, CONTENDERS[0]]
    assert rotated([], 3) == []


def test_state_topics_must_hold_one_finished_job_an_event() -> None:
    assert Settled(finished=10, parked=0, dead=0, last_ns=1).problem(10) is None
    assert "9 finished, 1 parked and 0 dead" in str(
        Settled(finished=9, parked=1, dead=0, last_ns=1).problem(10)
    )


@pytest.mark.parametrize(("load", "warned"), [(0.2, False), (1.0, False), (1.1, True)])
def test_a_busy_machine_is_named(load: float, warned: bool) -> None:
    assert (disturbance({"load_before": load, "cores": 2}) is not None) is warned
