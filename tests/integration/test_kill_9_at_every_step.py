"""Kill -9 at every step of settlement costs what we promise, and nothing is lost.

Each run kills one worker while jobs of every outcome are in one group, then lets another finish on the same
disk, on an empty one, or elsewhere; every cell of the table is a test of its own. Groups of one outcome leave
steps of settlement out: they are killed by themselves.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from consumers.engine.fault_points import POINTS
from events.topics import jobs_topic
from schemas.job import JOB_REQUESTED
from tests.integration.killing import (
    DISKS,
    EACH,
    JOBS_IN_ALL,
    TASKS,
    Aftermath,
    Cast,
    jobs_of,
    kill_and_recover,
)
from tests.integration.observing import State, header, ids_of_type, job_of, topic_of

AT_ONCE = 3


@dataclass(frozen=True)
class Kind:
    """How jobs of a task go: the attempts they start if the kill lost their outcome, and if it did not."""

    task: str
    again: tuple[int, ...]
    once: tuple[int, ...]
    ends: str = "completed"
    durable_from: str = "phase_two"

    def kept(self, point: str) -> bool:
        return POINTS.index(point) >= POINTS.index(self.durable_from)


OUTCOMES = {
    "completed": [Kind("completed", (1, 1), (1,))],
    "completed after a retry": [Kind("retried", (1, 2, 2), (1, 2))],
    "retry": [Kind("retrying", (1, 1, 2), (1, 2), durable_from="phase_one")],
    "dead": [Kind("dead", (1, 1), (1,), "failed")],
    "dead after a retry": [Kind("exhausted", (1, 2, 2), (1, 2), "failed")],
    "with outputs": [Kind("sending", (1, 1), (1,))],
    "with a step": [Kind("stepped", (1, 2), (1,))],
    "two tasks on one event": [
        Kind("first_twin", (1, 1), (1,)),
        Kind("second_twin", (1, 1, 2), (1, 2), durable_from="phase_one"),
    ],
}
ALONE = {
    "completed": Cast(("kill.completed",), "completed"),
    "retry": Cast(("kill.retry",), "retrylater"),
    "dead": Cast(("kill.dead",), "deadlettered"),
    "two tasks on one event": Cast(("kill.twins",), "completed"),
}
Run = tuple[str, str, str | None]
AftermathOf = Callable[..., Aftermath]


@pytest.fixture(scope="module")
def aftermath_of(
    request: pytest.FixtureRequest, broker: str, tmp_path_factory: pytest.TempPathFactory
) -> AftermathOf:
    """The aftermath of a kill. All runs that were asked for are made at once: mostly they wait."""
    here = [item.callspec.params for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    runs = dict.fromkeys((each["point"], each["disk"], each.get("alone")) for each in here)
    room = asyncio.Semaphore(AT_ONCE)

    async def one(run: Run) -> Aftermath:
        point, disk, alone = run
        cast = [] if alone is None else [ALONE[alone]]
        async with room:
            return await kill_and_recover(broker, tmp_path_factory.mktemp("kill"), point, disk, *cast)

    async def every() -> list[Aftermath | BaseException]:
        return await asyncio.gather(*map(one, runs), return_exceptions=True)

    made = dict(zip(runs, asyncio.run(every()), strict=True))

    def aftermath(point: str, disk: str, alone: str | None = None) -> Aftermath:
        found = made[point, disk, alone]
        if isinstance(found, BaseException):
            raise found
        return found

    return aftermath


each_point = pytest.mark.parametrize("point", POINTS)
each_disk = pytest.mark.parametrize("disk", DISKS)
each_outcome = pytest.mark.parametrize("outcome", OUTCOMES)


@each_point
@each_disk
@each_outcome
def test_a_kill_costs_what_the_table_says(
    aftermath_of: AftermathOf, point: str, disk: str, outcome: str
) -> None:
    _check_cost(aftermath_of(point, disk), point, outcome)


@pytest.mark.parametrize(("point", "disk"), [("phase_one", "same disk"), ("stored", "empty disk")])
@pytest.mark.parametrize("alone", ALONE)
def test_a_group_of_one_outcome_costs_the_same(
    aftermath_of: AftermathOf, point: str, disk: str, alone: str
) -> None:
    aftermath = aftermath_of(point, disk, alone)
    _check_cost(aftermath, point, alone)
    jobs = {job_id for kind in OUTCOMES[alone] for job_id in jobs_of(kind.task)}
    assert aftermath.at_end.events.finished.keys() == jobs
    assert {len(records) for records in aftermath.at_end.events.finished.values()} == {1}
    assert not aftermath.at_end.events.parked
    copies = {len(letters) for letters in aftermath.at_end.events.letters.values()}
    assert copies == ({2 if point == "phase_one" else 1} if alone == "dead" else set())


def _check_cost(aftermath: Aftermath, point: str, outcome: str) -> None:
    for kind in OUTCOMES[outcome]:
        kept = kind.kept(point)
        for job_id in jobs_of(kind.task):
            assert _is_kept(aftermath.at_kill.events, kind, job_id) is kept, "the kill was elsewhere"
            started = [
                note.attempt
                for note in aftermath.at_end.notes
                if note.what == "started" and note.job_id == job_id
            ]
            assert tuple(started) == (kind.once if kept else kind.again)
            end = aftermath.at_end.events
            assert end.outcome(job_id) == kind.ends
            assert end.attempts(job_id) == started[-1]


def _is_kept(state: State, kind: Kind, job_id: str) -> bool:
    if kind.durable_from == "phase_two":
        return job_id in state.finished
    parked = state.parked.get(job_id)
    return parked is not None and (parked.document["state"], parked.document["attempt"]) == ("retrying", 1)


@each_point
@each_disk
def test_nothing_is_lost_and_nothing_done_twice(aftermath_of: AftermathOf, point: str, disk: str) -> None:
    aftermath = aftermath_of(point, disk)
    end = aftermath.at_end
    finished = Counter({job_id: len(records) for job_id, records in end.events.finished.items()})
    finished.update({job_id: len(records) for job_id, records in end.jobs.finished.items()})
    assert set(finished.values()) == {1}
    assert finished.total() == JOBS_IN_ALL
    assert {note.job_id for note in end.notes} == set(finished)
    assert not end.events.parked
    assert not end.jobs.parked
    assert aftermath.exit_code == 0


@each_point
@each_disk
def test_only_what_the_kill_interrupted_runs_again(aftermath_of: AftermathOf, point: str, disk: str) -> None:
    aftermath = aftermath_of(point, disk)
    done = aftermath.at_kill.events.finished.keys() | aftermath.at_kill.jobs.finished.keys()
    before = [note for note in aftermath.at_kill.notes if note.what == "started"]
    after = [note for note in aftermath.at_end.notes if note.what == "started"][len(before) :]
    assert not done & {note.job_id for note in after}
    for notes in (before, after):
        assert set(Counter((note.job_id, note.attempt) for note in notes).values()) == {1}


@each_point
@each_disk
def test_no_offset_is_committed_before_its_jobs_are_kept(
    aftermath_of: AftermathOf, point: str, disk: str
) -> None:
    aftermath = aftermath_of(point, disk)
    for seen in (aftermath.at_kill, aftermath.at_end):
        known = seen.events.finished.keys() | seen.events.parked.keys()
        upto = seen.committed.get(topic_of(aftermath.app_id), 0)
        for record in seen.events.records[:upto]:
            assert _jobs_for(record) <= known
    ends = {topic_of(aftermath.app_id): len(aftermath.at_end.events.records)}
    ends[jobs_topic(aftermath.app_id)] = len(aftermath.at_end.jobs.records)
    assert ends.items() <= aftermath.at_end.committed.items(), "an orderly stop leaves nothing to read again"


def _jobs_for(record: object) -> set[str]:
    type, id = header(record, "ce_type"), header(record, "ce_id")
    return {job_of(task, id) for task in TASKS.get(type, ())}


@each_point
@each_disk
def test_dead_letters_repeat_only_with_the_job_id_they_had(
    aftermath_of: AftermathOf, point: str, disk: str
) -> None:
    aftermath = aftermath_of(point, disk)
    sent = point != "handler_returned"
    dead = set(jobs_of("dead") + jobs_of("exhausted"))
    assert set(aftermath.at_kill.events.letters) == (dead if sent else set())
    letters = aftermath.at_end.events.letters
    assert set(letters) == dead
    for job_id, copies in letters.items():
        assert len(copies) == (2 if point == "phase_one" else 1)
        reason, attempts = ("failed", "1") if job_id in jobs_of("dead") else ("exhausted", "2")
        for copy in copies:
            assert (copy["headrace-reason"], copy["headrace-attempts"]) == (reason, attempts)


@each_point
@each_disk
def test_outputs_repeat_only_with_the_ids_they_had(aftermath_of: AftermathOf, point: str, disk: str) -> None:
    aftermath = aftermath_of(point, disk)
    sent = point != "handler_returned"
    copies = 2 if point == "phase_one" else 1
    makers = {*jobs_of("sending"), job_of("sending", "warm-up")}
    for at_kill, records, type in (
        (aftermath.at_kill.events.records, aftermath.at_end.events.records, "kill.made"),
        (aftermath.at_kill.jobs.records, aftermath.at_end.jobs.records, JOB_REQUESTED),
    ):
        assert len(ids_of_type(at_kill, type)) == 1 + (EACH if sent else 0)
        assert sorted(ids_of_type(records, type).values()) == [1] + [copies] * EACH
    for task in ("receiving", "helping"):
        started = [note for note in aftermath.at_end.notes if (note.what, note.task) == ("started", task)]
        assert {note.facts["by"] for note in started} == makers
        assert len({note.job_id for note in started}) == len(makers)


@each_point
@each_disk
def test_a_journaled_step_is_not_repeated(aftermath_of: AftermathOf, point: str, disk: str) -> None:
    effects = [note.job_id for note in aftermath_of(point, disk).at_end.notes if note.what == "effect"]
    assert sorted(effects) == sorted(jobs_of("stepped"))
