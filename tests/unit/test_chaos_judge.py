"""The judge of the storm: a commit it should call too early, and one it should not."""

import math

import pytest
from aiokafka import TopicPartition

from tests.acceptance.chaos.commits import Sample, too_early
from tests.acceptance.chaos.evidence import DETACHED_AFTER_MS, Entry, Fence, StateLog

PLACE = TopicPartition("flights", 3)


def log_of(
    *, at_ms: int = 1000, fences: tuple[Fence, ...] = (Fence(0, 0, 1),), **document: object
) -> StateLog:
    log = StateLog(fences=list(fences))
    log.entries["job"].append(Entry(at_ms, 5, 1, b"{}", document))
    return log


@pytest.mark.parametrize("state", ["completed", "retrying", "scheduled"])
def test_what_is_finished_or_parked_lets_go(state):
    assert log_of(state=state).let_go_ms("job") == 1000


def test_that_a_job_runs_does_not_let_go():
    assert log_of(state="running", started_ms=900).let_go_ms("job") == math.inf


def test_a_detached_job_lets_go():
    assert (
        log_of(at_ms=DETACHED_AFTER_MS, state="running", started_ms=0).let_go_ms("job") == DETACHED_AFTER_MS
    )


def test_a_running_job_lets_go_once_another_owner_has_it_from_its_record():
    fences = (Fence(0, 0, 1), Fence(1500, 9, 2), Fence(1900, 20, 3))
    assert log_of(state="running", fences=fences).let_go_ms("job") == 1500


def test_a_job_nobody_wrote_about_does_not_let_go():
    assert StateLog().let_go_ms("job") == math.inf


@pytest.mark.parametrize(("at_ms", "told"), [(1400, ["0 was settled at 1500"]), (1500, [])])
def test_a_commit_is_too_early_until_every_job_before_it_lets_go(at_ms, told):
    found = list(too_early([Sample(at_ms, PLACE, 1)], {PLACE: [1500]}))
    assert [what.what.partition("but ")[2] for what in found] == told
