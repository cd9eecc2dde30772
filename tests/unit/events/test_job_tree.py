from events.job_tree import root_of, tree_of
from events.state_view import JobView
from schemas.job import JobState


def job(id, step=None, state=JobState.COMPLETED, root="w"):
    document = {"root": root} | ({"step": step} if step else {})
    return JobView(id, "jobs", 0, state, "t", 1, 0, 0, 1, document)


def lines(branches):
    return [(each.depth, each.step, each.job.job_id if each.job else each.left_out) for each in branches]


def test_steps_stand_in_their_order_under_the_last_job():
    jobs = [
        job("b", "10"),
        job("x", "1", root="other"),
        job("c", "2.1"),
        job("w"),
        job("a", "2.2.on_failure"),
    ]
    assert lines(tree_of("w", jobs, widest=9)) == [
        (0, "", "w"),
        (2, "2.1", "c"),
        (3, "2.2.on_failure", "a"),
        (1, "10", "b"),
    ]


def test_of_many_side_by_side_those_that_did_not_complete_are_shown():
    many = [job(f"m{n}", f"1.{n}", JobState.FAILED if n == 7 else JobState.COMPLETED) for n in range(1, 10)]
    shown = tree_of("w", [*many, job("w", "2"), job("d", "1.3.1")], widest=2)
    assert lines(shown) == [
        (0, "2", "w"),
        (2, "1.1", "m1"),
        (3, "1.3.1", "d"),
        (2, "1.7", "m7"),
        (2, "1", {"completed": 7}),
    ]
    assert shown[-1].as_json() == {"depth": 2, "left_out": {"completed": 7}}


def test_a_job_of_no_workflow_is_its_own():
    alone = JobView("z", "jobs", 0, JobState.COMPLETED, "t", 1, 0, 0, 1, {})
    assert root_of(alone) == "z"
    assert lines(tree_of("z", [alone], widest=1)) == [(0, "", "z")]
