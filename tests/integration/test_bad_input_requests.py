"""Job requests no client of ours makes: each becomes a dead letter, its neighbours run, the worker lives."""

from pathlib import Path
from typing import Any

import orjson

from events.topics import jobs_topic
from schemas.job import JOB_REQUESTED
from tests.integration.bad_input import (
    GOOD,
    UNSUBSCRIBED,
    Bad,
    became,
    counted,
    differences,
    headers,
    picky_worker,
    send_between,
)
from tests.integration.steering import running

DEEP = b"[" * 50_000 + b"]" * 50_000


def request(id: str, **changed: Any) -> bytes:
    return orjson.dumps({"task": "greet", "job_id": id, "args": {"name": "Ada"}} | changed)


def of(name: str, becomes: str, value: bytes | None) -> Bad:
    return Bad(name, becomes, value, headers(name, JOB_REQUESTED))


def carrying(id: str, document: Any) -> bytes:
    return request(id, task="measure", event=document)


def bad_requests() -> list[Bad]:
    event = {"specversion": "1.0", "id": "i", "source": "/s", "type": "input.measured", "data": {"size": 1}}
    return [
        of("null", "invalid", None),
        of("empty", "invalid", b""),
        of("bytes", "invalid", b"\xff\x00\x17"),
        of("a list", "invalid", b"[]"),
        of("no task", "invalid", b'{"job_id": "r"}'),
        of("no id", "invalid", b'{"task": "greet", "args": {"name": "x"}}'),
        of("empty id", "invalid", request("")),
        of("long id", "invalid", request("x" * 129)),
        of("an id like a fence", "invalid", request("fence/0")),
        of("number as id", "invalid", request("", job_id=7)),
        of("surrogate in id", "invalid", b'{"task": "greet", "job_id": "\\ud800", "args": {"name": "x"}}'),
        of("strange id", GOOD, request("\x00\n\u202e/\U0001f6eb")),
        of("longest id", GOOD, request("\U0001f6eb" * 128)),
        of("endless task name", "invalid", request("r1", task="x" * 201)),
        of("unknown task", "unknown_task", request("r2", task="nobody\x00knows")),
        of("missing argument", "invalid", request("r3", args={})),
        of("wrong argument", "invalid", request("r4", args={"name": "Ada", "times": "often"})),
        of("unknown argument", "invalid", request("r5", args={"name": "Ada", "nmae": "Bob"})),
        of("a list of arguments", "invalid", request("r6", args=["Ada"])),
        of(
            "deep arguments",
            "invalid",
            b'{"task":"greet","job_id":"r7","args":{"name":"A","more":' + DEEP + b"}}",
        ),
        of(
            "big number",
            GOOD,
            b'{"task":"greet","job_id":"r8","args":{"name":"A","more":1' + b"0" * 99 + b"}}",
        ),
        of("not a number", GOOD, b'{"task":"greet","job_id":"r9","args":{"name":"A","more":NaN}}'),
        of("in the year 100000", "invalid", request("r10", not_before_ms=3_093_527_980_800_000)),
        of("before all time", "invalid", request("r11", not_before_ms=-1)),
        of("a time in words", "invalid", request("r12", not_before_ms="soon")),
        of("deadline beyond", "invalid", request("r13", deadline_ms=7).replace(b"7}", b"7" * 30 + b"}")),
        of("deadline gone by", "expired", request("r14", deadline_ms=1)),
        of("a task for events", "invalid", request("r15", task="measure")),
        of("event for a plain task", "invalid", request("r16", event=event)),
        of("carries an event", GOOD, carrying("r17", event)),
        of("carries garbage", "invalid", carrying("r18", {"a": 1})),
        of("carries a wrong type", "invalid", carrying("r19", event | {"type": "input.unheard"})),
        of("carries wrong data", "invalid", carrying("r20", event | {"data": {"size": "x"}})),
        of("carries a wrong version", "invalid", carrying("r21", event | {"dataversion": "x"})),
        of("carries a number as id", "invalid", carrying("r22", event | {"id": 5})),
        Bad("another event", UNSUBSCRIBED, b"{}", headers("another", "input.measured")),
        Bad("no event", "undecodable", b"{}"),
    ]


async def test_each_becomes_what_it_must(broker: str, app_id: str, tmp_path: Path) -> None:
    worker = picky_worker(broker, app_id, tmp_path)
    async with running(worker):
        records = bad_requests()
        sent: dict[int, Bad] = {}
        for number, record in enumerate(records):
            neighbour = of(f"beside {record.name}", GOOD, request(f"beside-{number}"))
            sent |= await send_between(broker, jobs_topic(app_id), [record], neighbour)
        found = await became(broker, worker, "jobs", sent)
        assert differences(sent, found) == []
        assert await counted(worker, "telemetry_errors") == 0
    assert worker.process is not None
    assert worker.process.returncode == 0
