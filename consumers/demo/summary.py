"""Whether everything adds up: each line compares counts that come from different places. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from consumers.demo.expectation import Expectation
from consumers.demo.programme import TOPIC
from consumers.demo.readings import Reading
from consumers.demo.tally import Tally
from consumers.telemetry.catalogue import Metric
from schemas.deadletter import Reason
from schemas.job import JobState


@dataclass(frozen=True, slots=True)
class Sum:
    """`whole` counted in one place, its parts in others."""

    name: str
    whole: int
    parts: Mapping[str, int]
    sources: str

    @property
    def holds(self) -> bool:
        return self.whole == sum(self.parts.values())

    def __str__(self) -> str:
        parts = " + ".join(f"{count:,} {part}" for part, count in self.parts.items())
        return f"{self.whole:,} {self.name} {'=' if self.holds else '≠'} {parts}"


@dataclass(frozen=True, slots=True)
class Outside:
    """What servers and files outside of Kafka saw."""

    mails: int
    calls: int
    reports: Mapping[str, int]  # departed, arrived, cancelled
    told: int  # jobs the gateway knows of


def summary_of(expected: Expectation, tally: Tally, reading: Reading, outside: Outside) -> list[Sum]:
    """Every sum, the two that matter most first; the demo succeeded when all hold."""
    return [
        _events(expected, tally, reading),
        _jobs(expected, tally, reading),
        *_details(expected, tally, reading, outside),
    ]


def _events(expected: Expectation, tally: Tally, reading: Reading) -> Sum:
    parts = {
        "subscribed": reading.total(Metric.EVENTS_RECEIVED, source=TOPIC),
        "unsubscribed": reading.total(Metric.EVENTS_UNSUBSCRIBED, source=TOPIC),
        "undecodable": tally.letters[Reason.UNDECODABLE],
    }
    return Sum("events", expected.published, parts, "publisher = workers' metrics + dead letters")


def _jobs(expected: Expectation, tally: Tally, reading: Reading) -> Sum:
    parts = {
        "completed": tally.in_state(JobState.COMPLETED),
        "dead": tally.dead,
        "discarded": tally.in_state(JobState.DISCARDED),
        "skipped": _skipped(reading),
        "expired": tally.in_state(JobState.EXPIRED),
        "parked": tally.in_state(JobState.SCHEDULED),
    }
    if tally.unsettled:
        parts["unsettled"] = tally.unsettled
    return Sum("jobs", expected.jobs, parts, "publisher = ledger + dead letters + metrics + retry topic")


def _skipped(reading: Reading) -> int:
    return reading.total(Metric.JOBS_FINISHED, outcome="skipped")


def _details(expected: Expectation, tally: Tally, reading: Reading, outside: Outside) -> list[Sum]:
    sent = tally.in_state(JobState.COMPLETED, "send_email")
    told = tally.in_state(JobState.COMPLETED, "call_airline")
    failed = tally.in_state(JobState.FAILED)
    return [
        Sum("events published", expected.published, {"records on the topic": tally.records}, "topic"),
        Sum("jobs asked for twice", expected.skipped, {"skipped": _skipped(reading)}, "metrics"),
        Sum("failed in the ledger", failed, {"dead letters of jobs": tally.dead}, "dead letters"),
        Sum("mails completed", sent, {"taken by the mail server": outside.mails}, "mail server"),
        Sum("airlines told", told, {"calls taken by their server": outside.calls}, "airlines"),
        Sum("jobs in the state topics", tally.jobs.total(), {"told by the gateway": outside.told}, "gateway"),
        Sum("flight events", expected.flights.total(), outside.reports, "daily report"),
    ]
