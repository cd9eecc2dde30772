"""Hundreds of mutilated records: all accounted for, each once, in one worker that lives through all."""

import asyncio
import os
from collections import Counter
from pathlib import Path
from random import Random

from tests.integration.bad_input import (
    GOOD,
    Bad,
    Headers,
    counted,
    found_ends,
    headers,
    picky_worker,
    send_between,
)
from tests.integration.conftest import MakeTopic
from tests.integration.observing import topic_of
from tests.integration.steering import running
from tests.waiting import until

SEED = int(os.environ.get("BAD_INPUT_SEED", "2013"))
RECORDS = 400
REASONS = {"undecodable", "invalid", "unknown_version"}


def mutilated(random: Random, number: int) -> Bad:
    """A good record with up to three things wrong."""
    value: bytes | None = b'{"size": %d, "more": [1, 2.5, null, "text", {"a": true}]}' % number
    given = headers(f"r{number}", random.choice(("input.measured", "input.any", "input.chosen")))
    for _ in range(random.randrange(4)):
        if random.random() < 0.5:
            value = random.choice(_VALUES)(random, value or b"")
        else:
            given = random.choice(_HEADERS)(random, given)
    return Bad(f"seed {SEED}, record {number}", "anything", value, given)


def _cut(random: Random, value: bytes) -> bytes | None:
    return value[: random.randrange(len(value) + 1)] or None


def _flip(random: Random, value: bytes) -> bytes:
    if not value:
        return b"\x00"
    at = random.randrange(len(value))
    return value[:at] + bytes([random.randrange(256)]) + value[at + 1 :]


def _splice(random: Random, value: bytes) -> bytes:
    at = random.randrange(len(value) + 1)
    return value[:at] + random.randbytes(random.randrange(50)) + value[at:]


def _repeat(random: Random, value: bytes) -> bytes:
    return value * random.randrange(2, 4)


def _drop(random: Random, given: Headers) -> Headers:
    return [each for each in given if random.random() < 0.8]


def _double(random: Random, given: Headers) -> Headers:
    return [*given, random.choice(given)] if given else given


def _garble(random: Random, given: Headers) -> Headers:
    return [(name, random.randbytes(9) if random.random() < 0.2 else content) for name, content in given]


def _add(random: Random, given: Headers) -> Headers:
    names = (
        "content-type",
        "ce_time",
        "ce_dataversion",
        "ce_",
        "traceparent",
        "\x00",
        "headrace-reason",
        "ce_id ",
    )
    contents = (None, b"", b"application/json", b"application/cloudevents+json", b"7", random.randbytes(20))
    return [*given, (random.choice(names), random.choice(contents))]


_VALUES = (_cut, _flip, _splice, _repeat)
_HEADERS = (_drop, _double, _garble, _add)


async def test_everything_is_accounted_for(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(topic_of(app_id), exact=True)
    random = Random(SEED)
    records = [mutilated(random, number) for number in range(RECORDS)]
    worker = picky_worker(broker, app_id, tmp_path)
    async with running(worker):
        sent = await send_between(broker, topic, records, Bad("good", GOOD, b'{"size": 1}', headers("?")))

        async def accounted_for() -> bool:
            await asyncio.sleep(0.3)
            found.update(await found_ends(broker, app_id, topic))
            return len(found) + await counted(worker, "events_unsubscribed") == len(sent)

        found: dict[int, str] = {}
        await until(accounted_for, within_seconds=60, saying="each is a job, a letter, or nobody's")
        assert {found[offset] for offset, record in sent.items() if record.becomes == GOOD} == {GOOD}
        assert set(found.values()) <= {GOOD, *REASONS}
        assert Counter(found.values()).keys() >= {GOOD, "undecodable", "invalid"}, "the mixture is one"
    assert worker.process is not None
    assert worker.process.returncode == 0
