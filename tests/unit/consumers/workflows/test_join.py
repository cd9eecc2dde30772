import pytest
import rocksdict

from consumers.engine.statedb import Change, StateDb
from consumers.workflows import join as joins
from consumers.workflows.join import Join
from consumers.workflows.sweeping import LONGEST_MS, is_over
from schemas.job import JobRequested, JobState
from schemas.state import encode_state
from schemas.workflow import StepEnded

OPENED_MS = 1_000


@pytest.fixture
def db(tmp_path):
    disk = rocksdict.Rdict(str(tmp_path / "db"), rocksdict.Options(raw_mode=True))
    yield StateDb(disk, indexed=True)
    disk.close()


def step(n, state=JobState.COMPLETED, **more):
    return StepEnded(join="x", n=n, job_id=f"j{n}", task="a", state=state, **more)


def join(total=12):
    return Join("x", "w", total, "f", OPENED_MS)


def kept(db, *changes):
    db.apply(changes, offset=0, now_ms=1)


def test_it_is_made_again_from_its_members_whatever_the_count_says(db):
    made = join()
    head = made.head(1)
    kept(db, head, *[made.member(step(n, input={"value": n}), 1) for n in (11, 2, 0)])
    kept(db, made.follow(JobRequested(task="b", job_id="f"), 1), made.member(step(5, JobState.FAILED), 1))
    kept(db, Join("x1", "w", 1, "g", OPENED_MS).head(1))
    again = joins.load(db, "x")
    assert again is not None
    assert again.arrived == {0: True, 2: True, 11: True, 5: False}
    assert (again.total, again.failed, again.complete) == (12, 1, False)
    assert [each["n"] for each in joins.members(db, "x")] == [0, 2, 5, 11]
    assert joins.follow_of(db, "x").job_id == "f"
    assert joins.ids(db) == ["x", "x1"]
    assert joins.load(db, "y") is None


def test_its_records_are_never_due(db):
    kept(db, join().head(1), join().member(step(0), 1))
    assert list(db.index()) == []
    assert db.next_due_ms() is None
    kept(db, Change(b"a job", encode_state({}, due_ms=0)))
    assert len(list(db.index())) == 1


def test_a_member_counts_once_and_may_still_end_well():
    made = join(2)
    assert made.take(0, well=False)
    assert not made.take(0, well=False)
    assert made.take(0, well=True)
    assert not made.take(0, well=False)
    assert not made.take(7, well=True)
    assert made.take(1, well=True)
    assert made.complete
    assert made.failed == 0


def test_nothing_is_left_of_a_join_that_is_over(db):
    made = join(2)
    changes = [made.head(1), made.follow(JobRequested(task="b", job_id="f"), 1)]
    kept(db, *changes, *[made.member(step(n), 1) for n in range(2) if made.take(n, well=True)])
    kept(db, *made.nothing(made.arrived), *made.end())
    assert list(db.records()) == []


@pytest.mark.parametrize(
    ("state", "expires_ms", "over"),
    [("completed", 0, True), ("discarded", 0, True), ("failed", 0, False), ("failed", 5, True)],
)
def test_results_stay_while_the_follower_may_run_again(state, expires_ms, over):
    made = join(1)
    made.take(0, well=True)
    finished = encode_state({"state": state}, expires_ms=expires_ms)
    assert is_over(made, finished, now_ms=10) is over


def test_a_join_without_an_end_is_given_up():
    assert not is_over(join(), None, now_ms=OPENED_MS + LONGEST_MS)
    assert is_over(join(), None, now_ms=OPENED_MS + LONGEST_MS + 1)
