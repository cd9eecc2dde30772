from consumers.engine.lanes import Lanes, lane_of
from tests.unit.consumers.engine.orders import a_job, a_task


def test_jobs_of_one_key_start_in_order_and_one_at_a_time():
    lanes = Lanes()
    jobs = [a_job(id) for id in "abc"]
    assert [lanes.enter(job) for job in jobs] == [True, False, False]
    assert lanes.leave(jobs[0]) is jobs[1]
    assert lanes.leave(jobs[1]) is jobs[2]
    assert lanes.leave(jobs[2]) is None
    assert lanes.enter(a_job("d"))


def test_a_job_that_comes_while_a_follower_runs_waits_for_it():
    lanes = Lanes()
    first, second, third = (a_job(id) for id in "abc")
    lanes.enter(first)
    lanes.enter(second)
    assert lanes.leave(first) is second
    assert not lanes.enter(third)
    assert lanes.leave(second) is third


def test_other_keys_and_other_tasks_have_lanes_of_their_own():
    lanes = Lanes()
    assert lanes.enter(a_job())
    assert lanes.enter(a_job(key=b"other"))
    assert lanes.enter(a_job(task=a_task(name="other")))


def test_no_lane_without_key_task_or_order():
    free = [a_job(key=None), a_job(task=None), a_job(task=a_task(order="none"))]
    lanes = Lanes()
    for job in [*free, *free]:
        assert lane_of(job) is None
        assert lanes.enter(job)
        assert lanes.leave(job) is None


def test_an_empty_key_is_a_key():
    lanes = Lanes()
    assert lanes.enter(a_job(key=b""))
    assert not lanes.enter(a_job(key=b""))


def test_nothing_is_left_of_a_lane_that_is_done():
    lanes = Lanes()
    jobs = [a_job(), a_job()]
    for job in jobs:
        lanes.enter(job)
    for job in jobs:
        lanes.leave(job)
    assert lanes._lanes == {}


def test_a_follower_that_is_withdrawn_leaves_the_others_in_order():
    lanes = Lanes()
    jobs = [a_job(id) for id in "abc"]
    assert [lanes.enter(job) for job in jobs] == [True, False, False]
    assert lanes.withdraw(jobs[1]) is None
    assert lanes.leave(jobs[0]) is jobs[2]


def test_a_head_that_is_withdrawn_lets_the_next_one_go():
    lanes = Lanes()
    jobs = [a_job(id) for id in "ab"]
    for job in jobs:
        lanes.enter(job)
    assert lanes.withdraw(jobs[0]) is jobs[1]
    assert lanes.withdraw(jobs[1]) is None
    assert lanes.enter(a_job("c"))


def test_one_that_never_entered_holds_nobody_up():
    lanes = Lanes()
    head = a_job("a")
    lanes.enter(head)
    assert lanes.withdraw(a_job("b")) is None
    assert not lanes.enter(a_job("c"))
