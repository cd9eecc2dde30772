import pytest

from events.errors import BrokerUnreachable
from events.lag import read_lag, sources
from events.settings import ClientSettings


def test_committed_topics_and_sources_with_a_ledger_are_looked_at() -> None:
    existing = ["flights", "probe", "other", "a.flights.ledger", "a.flights.retry", "b.other.ledger"]
    assert sources("a", existing, {"probe", "deleted"}) == {"flights", "probe"}


def test_the_jobs_source_has_three_topics() -> None:
    jobs = ["a.jobs.high", "a.jobs", "a.jobs.low"]
    state = ["a.jobs.ledger", "a.jobs.retry", "a.jobs.dlq", "a.jobs.commands"]
    assert sources("a", [*jobs, *state], ()) == set(jobs)


def test_state_topics_are_nobodys_backlog() -> None:
    existing = ["flights", "a.flights.ledger", "a.flights.retry"]
    assert sources("a", existing, {"flights", "a.flights.retry"}) == {"flights"}


async def test_no_broker_is_said_with_its_address() -> None:
    settings = ClientSettings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1:1.*HEADRACE_BOOTSTRAP_SERVERS"):
        await read_lag(settings, timeout_seconds=5)
