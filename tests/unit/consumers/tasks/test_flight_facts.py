import asyncio
import datetime as dt
from pathlib import Path

import pytest

from consumers.tasks.flight_counts import count_by_carrier
from consumers.tasks.flight_facts import FactJournal, FlightFact, facts_of

DAY = dt.date(2013, 1, 1)


def departed(
    event_id: str, carrier: str = "UA", delay_minutes: float | None = 0, day: dt.date = DAY
) -> FlightFact:
    return FlightFact("/flights", event_id, day, carrier, "departed", delay_minutes)


async def test_a_fact_written_again_by_others_is_one_fact(tmp_path: Path) -> None:
    first, second = FactJournal(folder=tmp_path), FactJournal(folder=tmp_path)
    for journal in (first, second, first, FactJournal(folder=tmp_path)):
        await journal.record(departed("1", delay_minutes=20))
    await second.record(departed("2"))

    assert sorted(fact.event_id for fact in facts_of(tmp_path, DAY)) == ["1", "2"]
    [count] = count_by_carrier(facts_of(tmp_path, DAY))
    assert (count.departed, count.late, count.worst_delay_minutes) == (2, 1, 20)


async def test_equal_ids_of_two_sources_are_two_facts(tmp_path: Path) -> None:
    journal = FactJournal(folder=tmp_path)
    await journal.record(departed("1"))
    await journal.record(FlightFact("/elsewhere", "1", DAY, "UA", "departed", 0))
    assert len(list(facts_of(tmp_path, DAY))) == 2


async def test_many_at_once_are_all_there(tmp_path: Path) -> None:
    journal = FactJournal(folder=tmp_path)
    days = [DAY, DAY + dt.timedelta(days=1)]
    await asyncio.gather(*(journal.record(departed(str(n), day=days[n % 2])) for n in range(500)))
    assert [len(list(facts_of(tmp_path, day))) for day in days] == [250, 250]


async def test_half_a_line_is_no_fact(tmp_path: Path) -> None:
    await FactJournal(folder=tmp_path).record(departed("1"))
    whole = next((tmp_path / DAY.isoformat()).iterdir()).read_bytes()
    (tmp_path / DAY.isoformat() / "killed.jsonl").write_bytes(whole.replace(b'"1"', b'"2"')[:-4])
    assert [fact.event_id for fact in facts_of(tmp_path, DAY)] == ["1"]


async def test_a_failed_write_fails_its_facts_and_the_next_go_to_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = FactJournal(folder=tmp_path)
    await journal.record(departed("1"))

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full_disk)
        with pytest.raises(OSError, match="No space"):
            await journal.record(departed("2"))
    await journal.record(departed("2"))

    assert len(list((tmp_path / DAY.isoformat()).iterdir())) == 2
    assert [fact.event_id for fact in facts_of(tmp_path, DAY)].count("2") == 1


async def test_a_job_that_gave_up_waiting_leaves_the_others_alone(tmp_path: Path) -> None:
    journal = FactJournal(folder=tmp_path)
    impatient = asyncio.create_task(journal.record(departed("1")))
    patient = asyncio.create_task(journal.record(departed("2")))
    await asyncio.sleep(0)  # both stand in the group
    impatient.cancel()
    await patient
    assert {fact.event_id for fact in facts_of(tmp_path, DAY)} == {"1", "2"}


def test_a_day_without_facts(tmp_path: Path) -> None:
    assert count_by_carrier(facts_of(tmp_path, DAY)) == []


def test_counts_by_carrier() -> None:
    facts = [
        departed("1", "UA", -5),
        departed("2", "UA", 15),
        departed("3", "UA", 14.5),
        FlightFact("/flights", "4", DAY, "AA", "cancelled"),
        FlightFact("/flights", "5", DAY, "UA", "arrived"),
    ]
    american, united = count_by_carrier(facts)
    assert (american.carrier, american.cancelled, american.departed, american.mean_delay_minutes) == (
        "AA",
        1,
        0,
        0,
    )
    assert american.on_time_percent == 0
    assert (united.departed, united.arrived, united.late) == (3, 1, 1)
    assert united.mean_delay_minutes == pytest.approx(29.5 / 3)
    assert united.on_time_percent == pytest.approx(200 / 3)
