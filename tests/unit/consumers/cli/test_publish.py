from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consumers.cli import publish
from schemas.cloudevent import CloudEvent
from schemas.state import Position

FLIGHT = (
    '{"carrier":"UA","flight":1,"tail_number":"N1","origin":"EWR","dest":"IAH","day":"2013-01-01",'
    '"scheduled_departure_at":"2013-01-01T12:00:00Z","extra":1}'
)

Sent = list[tuple[CloudEvent, str | None]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What would have been published."""
    events: Sent = []

    async def keep(envelopes: Sent, topic: str | None) -> list[Position]:
        events.extend(envelopes)
        return [Position(topic or "flights", 0, number) for number in range(len(envelopes))]

    monkeypatch.setattr(publish, "_publish", keep)
    return events


def run(*arguments: str, stdin: str | bytes | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(publish.command, list(arguments), input=stdin)
    return result.exit_code, result.output


def test_an_event_has_what_it_was_given(sent: Sent) -> None:
    arguments = ("--topic", "probe", "--id", "17", "--source", "/s", "--subject", "x", "--key", "k")
    code, output = run("probe.happened", *arguments, "--extension", "tenant=ua", stdin='{"n": 1}\n')
    ((event, key),) = sent
    assert (code, output) == (0, "17 is at probe[0]@0\n")
    assert (event.id, event.source, event.subject, key) == ("17", "/s", "x", "k")
    assert (event.data, event.extensions) == ({"n": 1}, {"tenant": "ua"})


def test_every_line_is_an_event(sent: Sent, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"n":1}\n\n{"n":2}\n')
    assert run("probe.happened", "--topic", "probe", "--data", f"@{file}", "--lines") == (
        0,
        "2 events published\n",
    )
    assert [event.data for event, _ in sent] == [{"n": 1}, {"n": 2}]
    assert len({event.id for event, _ in sent}) == 2


def test_an_event_of_the_catalogue_is_checked_and_knows_its_key_and_time(sent: Sent) -> None:
    assert run("flight.cancelled", "--data", FLIGHT)[0] == 0
    ((event, key),) = sent
    assert key == "N1"
    assert event.time is not None
    assert event.data["extra"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("probe.happened", "--data", "{}"), "give --topic"),
        (("probe.happened", "--topic", "t", "--data", "{"), "line 1: not JSON"),
        (("probe.happened", "--topic", "t", "--data", "@/nowhere"), "/nowhere: No such file"),
        (("flight.cancelled", "--data", '{"carrier": 7}'), "carrier: Input should be a valid string"),
        (("p", "--topic", "t", "--data", "{}", "--extension", "Tenant=x"), "wanted NAME=VALUE"),
        (("p", "--topic", "t", "--data", "{}", "--extension", "dataversion=x"), "expected a whole number"),
        (("p", "--topic", "t", "--lines", "--id", "1"), "--id names one event"),
    ],
)
def test_wrong_use_is_told_and_nothing_published(sent: Sent, arguments: Any, message: str) -> None:
    code, output = run(*arguments)
    assert code == 2
    assert message in output
    assert not sent


def test_secrets_in_a_refused_payload_are_not_repeated(sent: Sent) -> None:
    assert "hunter2" not in run("flight.cancelled", "--data", '{"carrier": ["hunter2"]}')[1]
