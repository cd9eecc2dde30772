import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.workflows.actions import Ask, Break, Ended, Open, Report
from consumers.workflows.algebra import Place, begin, message_of, proceed
from schemas.job import JobState, derived_id
from schemas.workflow import GATHER
from tests.unit.consumers.workflows.world import ROOT, Failed, World, interpret

PLACE = Place(ROOT, ROOT, "", None, 1000)

steps = st.builds(
    lambda task, alone: {"task": task, "args": {"n": 1}, **({"alone": True} if alone else {})},
    st.sampled_from(["a", "b", "c", "fail"]),
    st.booleans(),
)
good_steps = steps.filter(lambda step: step["task"] != "fail")


def nested(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda parts: {"chain": parts}, st.lists(inner, min_size=1, max_size=4)),
            st.builds(lambda parts: {"group": parts}, st.lists(inner, max_size=4)),
        ),
        max_leaves=12,
    )


def ended(state=JobState.COMPLETED, **more):
    return Ended("j", "a", "1", state, **more)


@given(node=nested(st.one_of(good_steps, good_steps, steps)), seed=st.integers(0, 1 << 32))
def test_every_shape_means_what_it_says_in_any_order_and_when_repeated(node, seed):
    world = World(random.Random(seed))
    last = world.run(node)
    assert len(world.ran) == len(set(world.ran)), "every job ran once"
    try:
        meaning = interpret(node, [])
    except Failed:
        assert last.state is JobState.FAILED
        assert last.failure()["task"] == "fail"
    else:
        assert last.well
        assert last.input == {"value": meaning}


@given(node=nested(steps), seed=st.integers(0, 1 << 32))
def test_callbacks_hear_the_end_once(node, seed):
    on = {"success": [{"task": "s"}], "failure": [{"task": "f"}], "finished": [{"task": "e"}]}
    world = World(random.Random(seed))
    last = world.run({"chain": [node], "on": on})
    heard = sorted(request.task for request in world.asked.values() if request.task in ("s", "f", "e"))
    assert heard == (["e", "s"] if last.well else ["e", "f"])


@given(node=nested(good_steps))
def test_ids_and_paths_are_the_same_whatever_the_order(node):
    one, other = World(random.Random(1)), World(random.Random(2), twice=0.0)
    one.run(node)
    other.run(node)
    assert {id: request.step for id, request in one.asked.items()} == {
        id: request.step for id, request in other.asked.items()
    }


def test_a_chain_carries_what_remains():
    action = begin({"chain": [{"task": "a"}, {"task": "b"}]}, PLACE, None, [])
    assert isinstance(action, Ask)
    assert action.request.job_id == derived_id(ROOT, "step 1", 0)
    (then,) = proceed(action.request.then, ended(input={"value": 7}), root=ROOT, now_ms=0)
    assert isinstance(then, Ask)
    assert (then.request.job_id, then.request.step, then.request.then) == (ROOT, "2", None)
    assert (then.request.input, then.request.parent) == ({"value": 7}, "j")


def test_a_step_alone_takes_nothing():
    action = begin({"task": "a", "alone": True}, PLACE, {"value": 1}, [])
    assert action.request.input is None


def test_delays_count_from_the_turn_of_a_step():
    action = begin({"task": "a", "defer_ms": 50, "deadline_ms": 90, "priority": "high"}, PLACE, None, [])
    assert (action.request.not_before_ms, action.request.deadline_ms) == (1050, 1090)
    assert action.priority == "high"


def test_a_group_is_followed_by_the_next_step_or_gathered():
    group = {"group": [{"task": "a"}]}
    followed = begin({"chain": [group, {"task": "b"}]}, PLACE, None, [])
    gathered = begin({"chain": [group, group, {"task": "b"}]}, PLACE, None, [])
    assert isinstance(followed, Open)
    assert isinstance(gathered, Open)
    assert (followed.follow.task, followed.follow.job_id) == ("b", ROOT)
    assert (gathered.follow.task, gathered.follow.step) == (GATHER, "1")
    assert followed.follow.input == {"join": followed.join, "of": 1}


@pytest.mark.parametrize(
    ("state", "wanted", "says"),
    [
        (JobState.FAILED, "failed", "failed: E: no"),
        (JobState.DISCARDED, "failed", "was discarded: E: no"),
        (JobState.EXPIRED, "failed", "expired: E: no"),
        (JobState.CANCELLED, "cancelled", "was cancelled: E: no"),
    ],
)
def test_a_step_that_ends_badly_breaks_the_last_job(state, wanted, says):
    frame = {"rest": [{"task": "b"}, {"task": "c"}], "id": ROOT, "path": "", "next": 2}
    (action,) = proceed([frame], ended(state, error={"type": "E", "message": "no"}), root=ROOT, now_ms=0)
    assert isinstance(action, Break)
    assert (action.request.job_id, action.request.task, action.request.step) == (ROOT, "c", "3")
    assert action.request.broken["state"] == wanted
    assert action.request.broken["message"] == f"step 1 (a) {says}"


def test_a_member_reports_to_its_join():
    (action,) = proceed([{"join": "x", "n": 3, "partition": 5}], ended(), root=ROOT, now_ms=0)
    assert isinstance(action, Report)
    assert (action.join, action.n, action.partition) == ("x", 3, 5)


def test_a_failed_group_says_how_many():
    cause = {"job_id": "j", "task": "a", "step": "1.2", "state": "failed", "failed": 3, "of": 9}
    assert message_of(cause) == "3 of 9 failed, the first: step 1.2 (a) failed"
