from consumers.engine.tracker import Tracker


def test_nothing_may_be_committed_before_something_was_taken():
    assert Tracker().watermark is None
    assert Tracker().distance == 0


def test_the_watermark_is_the_lowest_offset_still_unsettled():
    tracker = Tracker()
    for offset in (3, 4, 5):
        tracker.take(offset, 1)
    tracker.settle(4)
    assert (tracker.watermark, tracker.distance) == (3, 3)
    tracker.settle(3)
    assert (tracker.watermark, tracker.distance) == (5, 1)
    tracker.settle(5)
    assert (tracker.watermark, tracker.distance) == (6, 0)


def test_an_offset_is_held_until_every_job_of_it_is_settled():
    tracker = Tracker()
    tracker.take(3, 2)
    tracker.settle(3)
    assert tracker.watermark == 3
    tracker.settle(3)
    assert tracker.watermark == 4


def test_an_offset_without_jobs_is_done_at_once():
    tracker = Tracker()
    tracker.take(3, 0)
    assert tracker.watermark == 4


def test_settling_what_is_not_held_changes_nothing():
    tracker = Tracker(next=8)
    tracker.settle(2)
    assert (tracker.watermark, tracker.live) == (8, {})


def test_a_batch_behind_a_hole_is_not_expected():
    tracker = Tracker(next=8)
    assert tracker.expects(8)
    assert tracker.expects(5)  # what it repeats is known
    assert not tracker.expects(9)
    assert not tracker.expects(None)


def test_a_tracker_that_knows_no_offset_expects_only_what_starts_anywhere():
    assert Tracker().expects(None)
    assert not Tracker().expects(0)
