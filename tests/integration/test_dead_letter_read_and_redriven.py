"""`headrace dlq` finds letters by job and by place, and a redrive goes to the owner of their partition."""

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner

from consumers.cli.dlq import command
from events.sender import Record, Sender
from events.settings import ClientSettings
from events.topics import commands_topic, dlq_topic, ledger_topic
from tests.integration.conftest import MakeTopic
from tests.integration.consuming import records_of

HEADERS: list[tuple[str, bytes | None]] = [
    ("ce_id", b"17"),
    ("headrace-reason", b"exhausted"),
    ("headrace-task", b"count"),
    ("headrace-job-id", b"j"),
    ("headrace-last-failed-at", b"1700000000000"),
]


async def run(*arguments: str) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, command, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
async def letters(broker: str, app_id: str, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch) -> str:
    """A dead-letter topic that holds one letter of a job and one nobody could read."""
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", broker)
    monkeypatch.setenv("HEADRACE_APP_ID", app_id)
    for name in (ledger_topic(app_id, "probe"), commands_topic(app_id, "probe")):
        await make_topic(name, partitions=3, exact=True)
    topic = await make_topic(dlq_topic(app_id, "probe"), partitions=3, exact=True)
    sender = Sender(ClientSettings(bootstrap_servers=broker), max_message_bytes=100_000, timeout_seconds=20)
    await sender.start()
    await sender.send(Record(topic, b"k", b"\xffpayload", HEADERS, partition=2))
    await sender.send(Record(topic, None, None, [("headrace-reason", b"undecodable")], partition=1))
    await sender.stop()
    return topic


async def test_letters_are_listed_with_reason_and_place(letters: str) -> None:
    code, output = await run("list", "--json")
    found: list[dict[str, Any]] = json.loads(output)
    assert code == 0
    assert [(letter["partition"], letter["reason"]) for letter in found] == [
        (1, "undecodable"),
        (2, "exhausted"),
    ]
    assert json.loads((await run("list", "--task", "count", "--json"))[1]) == found[1:]
    assert "2023-11-14T22:13:20.000+00:00" in (await run("list"))[1]


async def test_the_payload_is_shown_only_when_asked_for(letters: str) -> None:
    assert "payload" not in (await run("show", "j"))[1]
    shown = json.loads((await run("show", "probe", "2", "0", "--payload", "--json"))[1])
    assert (shown["key"], shown["value"]) == ("k", "base64:/3BheWxvYWQ=")
    assert shown["headers"] == [["ce_id", "17"]]


async def test_a_redrive_is_a_command_in_the_same_partition(broker: str, app_id: str, letters: str) -> None:
    by_place = json.loads((await run("redrive", letters, "2", "0", "--json"))[1])
    by_job = json.loads((await run("redrive", "j", "--json"))[1])
    found = await records_of(broker, commands_topic(app_id, "probe"))
    assert [(record.partition, record.key, record.value) for record in found] == [
        (2, b"k", b"\xffpayload")
    ] * 2
    for record, answer in zip(found, (by_place, by_job), strict=True):
        commands = [
            ("headrace-command", b"redrive"),
            ("headrace-command-id", answer["command_id"].encode()),
        ]
        assert list(record.headers) == [*HEADERS, *commands]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "nope"), 1, "no dead letter nope"),
        (("show", "probe", "2", "1"), 1, "no dead letter probe 2 1"),
        (("show", "probe", "7", "0"), 1, "no dead letter probe 7 0"),
        (("redrive", "probe", "two", "0"), 2, "name a letter by"),
        (("redrive", "probe", "2"), 2, "name a letter by"),
    ],
)
async def test_what_is_not_there_is_told(
    letters: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    found, output = await run(*arguments)
    assert found == code
    assert message in output
