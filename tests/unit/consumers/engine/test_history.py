from consumers.engine import history

FAILED = {
    "state": "retrying", "attempt": 1, "started_ms": 5, "ended_ms": 9, "worker": "w",
    "error": {"type": "ValueError", "message": "x" * 400},
}  # fmt: skip


def test_a_job_that_never_ran_has_no_history():
    assert history.before({"state": "scheduled", "attempt": 0}) is None


def test_the_attempt_a_record_tells_of_becomes_the_last_one():
    (entry,) = history.before(FAILED)
    assert entry == {
        "n": 1, "started_ms": 5, "ended_ms": 9, "worker": "w", "outcome": "retrying",
        "error": {"type": "ValueError", "message": "x" * 300},
    }  # fmt: skip
    second = history.before({**FAILED, "attempt": 2, "attempts": [entry]})
    assert [each["n"] for each in second] == [1, 2]


def test_an_attempt_that_used_up_no_try_has_its_own_number_all_the_same():
    (entry,) = history.before({**FAILED, "attempt": 0, "uncounted": True})
    assert entry["n"] == 1


def test_a_timeout_is_called_so():
    error = {"type": "consumers.errors.TaskTimeout", "message": "late"}
    (entry,) = history.before({**FAILED, "error": error})
    assert entry["outcome"] == "timed_out"


def test_a_running_attempt_ended_only_if_it_was_lost():
    running = {"state": "running", "attempt": 1, "started_ms": 5, "worker": "w"}
    assert history.before(running) is None
    (entry,) = history.before(running, lost=True)
    assert (entry["outcome"], entry["ended_ms"]) == ("worker_lost", None)
    assert "error" not in entry


def test_a_finished_job_that_runs_again_takes_its_end_along():
    (entry,) = history.before({**FAILED, "state": "failed", "ended_ms": None, "finished_ms": 7})
    assert (entry["outcome"], entry["ended_ms"]) == ("failed", 7)


def test_the_newest_are_kept():
    many = [{"n": number} for number in range(30)]
    kept = history.before({**FAILED, "attempts": many, "attempt": 31})
    assert len(kept) == history.MOST_ATTEMPTS
    assert (kept[0]["n"], kept[-1]["n"]) == (11, 31)
