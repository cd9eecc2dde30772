"""What is shown, of a moment made by hand."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from consumers.demo.picture import Picture, Row, quantiles_text
from consumers.demo.readings import Reading
from consumers.demo.screen import LiveScreen, PlainScreen, screen_on, summary_lines
from consumers.demo.summary import Sum
from tests.unit.consumers.demo.making import NOON

SAMPLES: dict[str, list[tuple[dict[str, str], float]]] = {
    "headrace_events_received_total": [
        ({"source": "flights", "type": "flight.departed"}, 40),
        ({"source": "demo.jobs", "type": "headrace.job.requested.v1"}, 9),
    ],
    "headrace_events_unsubscribed_total": [({"source": "flights"}, 3)],
    "headrace_events_undecodable_total": [({"source": "flights"}, 2)],
    "headrace_jobs_started_total": [({"task": "send_email"}, 11), ({"task": "write_report"}, 0)],
    "headrace_jobs_finished_total": [
        ({"task": "send_email", "outcome": "completed"}, 6),
        ({"task": "send_email", "outcome": "retried"}, 3),
        ({"task": "send_email", "outcome": "dead_lettered"}, 1),
    ],
    "headrace_jobs_running": [({"task": "send_email"}, 1)],
    "headrace_parked_jobs": [({"kind": "retry"}, 3), ({"kind": "delay"}, 2)],
    "headrace_dead_letters_total": [({"task": "send_email"}, 1), ({"task": ""}, 2)],
}


def picture(*, played: float = 0.5, lag_records: int = 7, reading: Reading | None = None) -> Picture:
    return Picture(
        clock=NOON,
        played=played,
        published=50,
        reading=Reading(SAMPLES) if reading is None else reading,
        lag_records=lag_records,
    )


def console(**options: object) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=140, highlight=False, **options), file  # type: ignore[arg-type]


def test_figures_are_those_of_all_workers() -> None:
    shown = picture()
    assert (shown.events, shown.done, shown.retrying, shown.parked, shown.dead) == (45, 7, 3, 2, 3)
    assert shown.rows() == [Row("send_email", 1, 7, 3, 1, "– / – / –")]
    assert shown.clock_text == "10 July 2013, 12:00 in New York"


@pytest.mark.parametrize(
    ("played", "lag_records", "samples", "quiet"),
    [
        (1.0, 0, {}, True),
        (1.0, 0, {"headrace_parked_jobs": [({"kind": "delay"}, 2)]}, True),
        (1.0, 0, {"headrace_parked_jobs": [({"kind": "retry"}, 1)]}, False),
        (1.0, 0, {"headrace_jobs_in_flight": [({}, 1)]}, False),
        (1.0, 0, {"headrace_jobs_running": [({}, 1)]}, False),
        (1.0, 1, {}, False),
        (0.9, 0, {}, False),
    ],
)
def test_quiet_is_when_nothing_but_what_was_put_off_is_left(
    played: float, lag_records: int, samples: dict[str, list[tuple[dict[str, str], float]]], quiet: bool
) -> None:
    assert picture(played=played, lag_records=lag_records, reading=Reading(samples)).quiet is quiet


def test_waits_read_as_people_say_them() -> None:
    buckets = {0.01: 90.0, 2.0: 100.0, float("inf"): 100.0}
    assert quantiles_text(buckets) == "6 ms / 1.0 s / 1.8 s"


def test_without_a_terminal_moments_are_lines_and_not_too_many() -> None:
    out, file = console()
    with screen_on(out, plain=False) as screen:
        assert type(screen) is PlainScreen
        screen.say("Starting [Kafka]")
        screen.show(picture(), ["dead       send_email"])
        screen.show(picture(), [])
    first, second, third = file.getvalue().splitlines()
    assert first.endswith("Starting [Kafka]")
    assert second.endswith("dead       send_email")
    assert third.endswith(
        "12:00 in New York: events 45, jobs done 7, retrying 3, dead 3, lag 7, wait p50/p95/p99 – / – / –"
    )


def test_on_a_terminal_the_picture_changes_in_place() -> None:
    out, file = console(force_terminal=True)
    with screen_on(out, plain=False) as screen:
        assert isinstance(screen, LiveScreen)
        screen.say("Starting Kafka")
        screen.show(picture(), ["dead       send_email e1", "retrying   call_airline e2"])
    text = file.getvalue()
    for wanted in ("Starting Kafka", "50% played", "jobs done", "send_email", "retrying   call_airline e2"):
        assert wanted in text


def test_plain_is_plain_on_a_terminal_too() -> None:
    out, _ = console(force_terminal=True)
    with screen_on(out, plain=True) as screen:
        assert type(screen) is PlainScreen


def test_the_summary_marks_what_does_not_hold() -> None:
    sums = [Sum("events", 2, {"subscribed": 2}, "topic"), Sum("jobs", 2, {"completed": 1}, "ledger")]
    lines = [str(line) for line in summary_lines(sums, [Path("reports/2013-07-10.html")])]
    assert lines == [
        "",
        "✓ 2 events = 2 subscribed   topic",
        "✗ 2 jobs ≠ 1 completed   ledger",
        "Report: reports/2013-07-10.html",
    ]
