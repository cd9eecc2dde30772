from consumers.engine.suspicion import Suspicion
from schemas.job import JobState
from schemas.state import Position
from tests.unit.consumers.engine.orders import a_job


def test_after_an_orderly_stop_nobody_is_suspected():
    suspicion = Suspicion.none()
    suspicion.met_own(Position("orders", 0, 5))
    assert not suspicion.any
    assert not suspicion.of(a_job())
    assert not suspicion.of_parked(0)


def test_the_first_offsets_behind_the_committed_one_are_suspected():
    suspicion = Suspicion(since_ms=100, span=10)
    assert suspicion.any
    assert suspicion.of(a_job(offset=20))
    assert suspicion.of(a_job(offset=29))
    assert not suspicion.of(a_job(offset=30))


def test_what_was_settled_already_tells_how_far_work_had_got():
    suspicion = Suspicion(since_ms=100, span=10)
    suspicion.met_own(Position("orders", 0, 25))
    assert suspicion.of(a_job(offset=34))
    assert not suspicion.of(a_job(offset=35))
    suspicion.met_own(Position("orders", 0, 3))
    assert suspicion.of(a_job(offset=34))


def test_topics_have_offsets_of_their_own():
    suspicion = Suspicion(since_ms=100, span=10)
    suspicion.of(a_job(offset=0))
    other = a_job(offset=500)
    other.position = Position("other", 0, 500)
    assert suspicion.of(other)


def test_a_parked_job_is_suspected_when_it_could_have_run_at_the_crash():
    suspicion = Suspicion(since_ms=100, span=10)
    assert suspicion.of_parked(100)
    assert not suspicion.of_parked(101)
    parked = a_job(offset=5, stored=JobState.RETRYING)
    assert not suspicion.of(parked)
    parked.attempt_is_risky = True
    assert suspicion.of(parked)
