"""Whether sums hold, and whether each of them notices what it is there for."""

import dataclasses
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from consumers.demo.expectation import Expectation
from consumers.demo.readings import Reading
from consumers.demo.summary import Outside, Sum, summary_of
from consumers.demo.tally import Tally
from schemas.deadletter import Reason
from schemas.job import JobState


@dataclass
class Play:
    """A play in which everything adds up."""

    expected: Expectation
    tally: Tally
    samples: dict[str, list[tuple[dict[str, str], float]]]
    outside: Outside

    def broken(self) -> list[str]:
        sums = summary_of(self.expected, self.tally, Reading(self.samples), self.outside)
        return [one.name for one in sums if not one.holds]


@pytest.fixture
def play() -> Play:
    expected = Expectation(published=20, subscribed=15, unsubscribed=3, unreadable=2, skipped=4)
    expected.requests = Counter(count_flight=15, send_email=5, call_airline=4)
    expected.flights = Counter(departed=8, arrived=5, cancelled=2)
    tally = Tally(records=20)
    tally.jobs = Counter(
        {
            ("count_flight", JobState.COMPLETED): 10,
            ("send_email", JobState.COMPLETED): 3,
            ("send_email", JobState.SCHEDULED): 1,
            ("send_email", JobState.FAILED): 1,
            ("call_airline", JobState.COMPLETED): 2,
            ("call_airline", JobState.DISCARDED): 1,
            ("call_airline", JobState.EXPIRED): 2,
        }
    )
    tally.letters = Counter({Reason.UNDECODABLE: 2, Reason.EXPIRED: 2, Reason.FAILED: 1})
    samples: dict[str, list[tuple[dict[str, str], float]]] = {
        "headrace_events_received_total": [({"source": "flights"}, 15), ({"source": "demo.jobs"}, 9)],
        "headrace_events_unsubscribed_total": [({"source": "flights"}, 3)],
        "headrace_jobs_finished_total": [({"outcome": "skipped"}, 4), ({"outcome": "completed"}, 15)],
    }
    return Play(
        expected,
        tally,
        samples,
        Outside(3, 2, {"departed": 8, "arrived": 5, "cancelled": 2}, tally.jobs.total()),
    )


def test_everything_adds_up(play: Play) -> None:
    assert play.broken() == []


def lose_a_job(play: Play) -> None:
    play.tally.jobs["count_flight", JobState.COMPLETED] -= 1


def leave_a_job_unsettled(play: Play) -> None:
    play.tally.jobs["count_flight", JobState.COMPLETED] -= 1
    play.tally.jobs["send_email", JobState.RETRYING] += 1
    play.expected.requests["send_email"] += 1


def run_a_repeat(play: Play) -> None:
    play.tally.jobs["count_flight", JobState.COMPLETED] += 1
    play.samples["headrace_jobs_finished_total"][0] = ({"outcome": "skipped"}, 3)


def lose_a_letter(play: Play) -> None:
    del play.tally.letters[Reason.FAILED]


def lose_what_nobody_could_read(play: Play) -> None:
    play.tally.letters[Reason.UNDECODABLE] = 1


def lose_an_event(play: Play) -> None:
    play.tally.records -= 1


def send_a_mail_nobody_got(play: Play) -> None:
    play.outside = Outside(2, 2, play.outside.reports, play.outside.told)


def tell_an_airline_that_did_not_hear(play: Play) -> None:
    play.outside = Outside(3, 1, play.outside.reports, play.outside.told)


def report_a_flight_twice(play: Play) -> None:
    play.outside = Outside(3, 2, {"departed": 9, "arrived": 5, "cancelled": 2}, play.outside.told)


def hide_a_job(play: Play) -> None:
    play.outside = dataclasses.replace(play.outside, told=play.outside.told - 1)


@pytest.mark.parametrize(
    ("harm", "noticed"),
    [
        (lose_a_job, ["jobs", "jobs in the state topics"]),
        (run_a_repeat, ["jobs asked for twice", "jobs in the state topics"]),
        (hide_a_job, ["jobs in the state topics"]),
        (lose_a_letter, ["jobs", "failed in the ledger"]),
        (lose_what_nobody_could_read, ["events"]),
        (lose_an_event, ["events published"]),
        (send_a_mail_nobody_got, ["mails completed"]),
        (tell_an_airline_that_did_not_hear, ["airlines told"]),
        (report_a_flight_twice, ["flight events"]),
    ],
)
def test_harm_is_noticed(play: Play, harm: Callable[[Play], None], noticed: list[str]) -> None:
    harm(play)
    assert play.broken() == noticed


def test_a_job_that_is_not_settled_never_adds_up(play: Play) -> None:
    leave_a_job_unsettled(play)
    assert "jobs" in play.broken()


def test_a_sum_reads_as_one() -> None:
    assert (
        str(Sum("jobs", 1200, {"completed": 1000, "dead": 200}, ""))
        == "1,200 jobs = 1,000 completed + 200 dead"
    )
    assert str(Sum("jobs", 2, {"completed": 1}, "")) == "2 jobs ≠ 1 completed"
