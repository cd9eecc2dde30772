"""Garbage in the commands topic is refused with a line in the log; the worker goes on, and so do redrives."""

from pathlib import Path

from aiokafka import AIOKafkaProducer

from events.topics import commands_topic
from tests.integration.bad_input import Bad, Headers, became, differences, headers, picky_worker, send_between
from tests.integration.observing import topic_of
from tests.integration.probing import log_lines
from tests.integration.steering import running
from tests.waiting import until

SIZE = b'{"size": 1}'


def redrive(**changed: str | None) -> Headers:
    """Headers of a redrive of a letter, without `headrace-`; underscores stand for hyphens."""
    right: dict[str, str | None] = {
        "command": "redrive",
        "origin_topic": "t",
        "origin_partition": "0",
        "origin_offset": "1",
        "origin_timestamp": "5",
        "job_id": "j",
        "revision": "1",
    }
    return [
        (f"headrace-{name.replace('_', '-')}", text.encode())
        for name, text in (right | changed).items()
        if text is not None
    ]


REFUSED: list[tuple[bytes | None, Headers]] = [
    (None, []),
    (b"\xff" * 100, []),
    (SIZE, [("headrace-command", None)]),
    (SIZE, [("headrace-command", b"\xff\xfe")]),
    (SIZE, redrive(command="destroy")),
    (SIZE, redrive(origin_topic=None)),
    (SIZE, redrive(origin_partition="first")),
    (SIZE, redrive(origin_offset="")),
    (SIZE, redrive(origin_offset="9" * 30)),
    (SIZE, redrive(origin_timestamp="long ago")),
    (SIZE, redrive(origin_timestamp="9" * 30)),
    (SIZE, redrive(revision="newest")),
    (SIZE, redrive(revision="9" * 30)),
    (SIZE, redrive(revision="-1")),
]


async def test_the_worker_goes_on(broker: str, app_id: str, tmp_path: Path) -> None:
    topic = topic_of(app_id)
    worker = picky_worker(broker, app_id, tmp_path)
    async with running(worker):
        async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
            for value, given in REFUSED:
                await producer.send_and_wait(
                    commands_topic(app_id, topic), value, b"k", partition=0, headers=[*headers("c"), *given]
                )

        def all_refused() -> bool:
            return len([line for line in log_lines(worker) if line["event"] == "command_refused"]) == len(
                REFUSED
            )

        await until(all_refused, within_seconds=30)
        wrong = [Bad("wrong", "invalid", b"{}", headers("wrong"))]
        sent = await send_between(broker, topic, wrong, Bad("right", "completed", SIZE, headers("?")))
        assert differences(sent, await became(broker, worker, topic, sent)) == []
    assert worker.process is not None
    assert worker.process.returncode == 0
