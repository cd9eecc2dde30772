"""Records near the size limits: run, retried or dead-lettered whole, and neighbours are not held up."""

from base64 import b64encode
from pathlib import Path
from random import Random

from events.topics import dlq_topic
from tests.integration.bad_input import GOOD, Bad, became, differences, headers, picky_worker, send_between
from tests.integration.conftest import MakeTopic
from tests.integration.consuming import records_of
from tests.integration.observing import topic_of
from tests.integration.steering import running

MEGABYTE = 1_000_000
SIZE = b'{"size": 1}'


def filled(size: int, start: bytes) -> bytes:
    """JSON that compression cannot make much smaller."""
    return start + b', "filler": "' + b64encode(Random(size).randbytes(size * 3 // 4)) + b'"}'


async def test_near_the_limit_of_the_topic(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(topic_of(app_id), exact=True, max_message_bytes=8 << 20)
    records = [
        Bad("huge and right", GOOD, filled(MEGABYTE, b'{"size": 1'), headers("h1")),
        Bad("huge and wrong", "invalid", filled(MEGABYTE, b'{"size": "x"'), headers("h2")),
        Bad("huge and no JSON", "undecodable", Random(3).randbytes(MEGABYTE), headers("h3")),
        Bad("huge and retried", GOOD, filled(MEGABYTE, b'{"failures": 2'), headers("h4", "input.any")),
        Bad(
            "huge and given up", "exhausted", filled(MEGABYTE, b'{"failures": 9'), headers("h5", "input.any")
        ),
        Bad("huge header", "invalid", b"{}", [*headers("h6"), ("x", Random(6).randbytes(MEGABYTE))]),
        Bad("larger than the letters", "undecodable", Random(7).randbytes(6 * MEGABYTE), headers("h7")),
        Bad(
            "larger than can be parked",
            "failed",
            filled(6_500_000, b'{"failures": 1'),
            headers("h8", "input.any"),
        ),
        Bad("larger, and right at once", GOOD, filled(6_500_000, b'{"size": 1'), headers("h9")),
    ]
    worker = picky_worker(broker, app_id, tmp_path)
    async with running(worker):
        sent = await send_between(broker, topic, records, Bad("neighbour", GOOD, SIZE, headers("?")))
        found = await became(broker, worker, topic, sent)
        assert differences(sent, found) == []
    assert worker.process is not None
    assert worker.process.returncode == 0
    letters = {}
    for record in await records_of(broker, dlq_topic(app_id, topic)):
        letters[dict(record.headers)["ce_id"]] = record
    for name, sent_record in ((record.headers[1][1], record) for record in records):
        if sent_record.becomes == GOOD:
            assert name not in letters
        elif len(sent_record.value or b"") < 2 * MEGABYTE:
            assert letters[name].value == sent_record.value, "original bytes, untouched"
        else:
            assert letters[name].value is None
            assert dict(letters[name].headers)["headrace-payload"].startswith(b"too large to copy")
