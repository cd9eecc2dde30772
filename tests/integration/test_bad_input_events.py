"""Records nobody should send: each becomes a dead letter, its neighbours run, the worker lives."""

from pathlib import Path
from random import Random

from tests.integration.bad_input import (
    ANY_TIME,
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
from tests.integration.conftest import MakeTopic
from tests.integration.observing import topic_of
from tests.integration.steering import running

SIZE = b'{"size": 1}'
NEIGHBOUR = Bad("neighbour", GOOD, SIZE, headers("?"))
DEEP = b'{"size": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
STRUCTURED = ("content-type", b"application/cloudevents+json")
YEAR_9999_MS = 253_370_764_800_000
LONG = "x" * 50_000


def of_bytes() -> list[Bad]:
    random = Random(1)
    return [
        Bad("random bytes, no headers", "undecodable", random.randbytes(500)),
        Bad("random bytes as JSON", "undecodable", random.randbytes(500), headers("b1")),
        Bad("nothing at all", "undecodable", None),
        Bad("empty value", "undecodable", b"", headers("b2")),
        Bad("null value, typed", "invalid", None, headers("b3")),
        Bad("null value, any", GOOD, None, headers("b4", "input.any")),
        Bad("broken UTF-8 in JSON", "undecodable", b'{"size": 1, "x": "\xff\xfe"}', headers("b5")),
        Bad("broken UTF-8, any", "undecodable", b'{"x": "\xc3\x28"}', headers("b6", "input.any")),
        Bad(
            "not JSON by its type",
            GOOD,
            b"\xff\x00",
            [*headers("b7", "input.any"), ("content-type", b"image/png")],
        ),
        Bad("half a document", "undecodable", b'{"size": 1', headers("b8")),
        Bad("two documents", "undecodable", b'{"size": 1}{"size": 2}', headers("b9")),
        Bad("deep, typed", "undecodable", DEEP, headers("b10")),
        Bad("deep, any", "undecodable", DEEP, headers("b11", "input.any")),
        Bad("lone surrogate", "undecodable", b'{"x": "\\ud800"}', headers("b12", "input.any")),
    ]


def of_types() -> list[Bad]:
    wrong = [b'{"size": "many"}', b'{"size": null}', b"{}", b"[]", b"7", b'"size"', b"null", b'{"size": 1.5}']
    return [
        *(
            Bad(f"wrong type {value!r}", "invalid", value, headers(f"t{at}"))
            for at, value in enumerate(wrong)
        ),
        Bad("number beyond all", "undecodable", b'{"size": 1' + b"0" * 5000 + b"}", headers("t20")),
        Bad("big number", GOOD, b'{"size": 1' + b"0" * 100 + b"}", headers("t21")),
        Bad("big key", "invalid", b'{"number": 1' + b"0" * 40 + b"}", headers("t22", "input.numbered")),
        Bad("not a number", "failed", b'{"number": 5, "weight": NaN}', headers("t23", "input.numbered")),
        Bad("condition raises", "invalid", b'{"other": 1}', headers("t24", "input.chosen")),
        Bad("condition says no", UNSUBSCRIBED, b'{"size": 1}', headers("t25", "input.chosen")),
        Bad("nobody wants it", UNSUBSCRIBED, b"\xff\xff", headers("t26", "input.unheard")),
    ]


def of_headers() -> list[Bad]:
    names = ("specversion", "id", "source", "type")
    missing = [Bad(f"no {n}", "undecodable", SIZE, headers(f"m{n}", **{n: None})) for n in names]
    doubled = [
        Bad(f"two of {n}", "undecodable", SIZE, [*headers(f"d{n}"), (f"ce_{n}", b"1.0")]) for n in names
    ]
    empty = [Bad(f"empty {n}", "undecodable", SIZE, headers(f"e{n}", **{n: b""})) for n in names]
    broken = [Bad(f"{n} not UTF-8", "undecodable", SIZE, headers(f"u{n}", **{n: b"\xff"})) for n in names]
    return [
        *missing,
        *doubled,
        *empty,
        *broken,
        Bad("null id", "undecodable", SIZE, [*headers("h1", id=None), ("ce_id", None)]),
        Bad("old version of CloudEvents", "undecodable", SIZE, headers("h2", specversion="0.3")),
        Bad("unknown data version", "unknown_version", SIZE, headers("h3", dataversion="99")),
        Bad("data version in words", "undecodable", SIZE, headers("h4", dataversion="one")),
        Bad("negative data version", "undecodable", SIZE, headers("h5", dataversion="-1")),
        Bad("endless data version", "undecodable", SIZE, headers("h6", dataversion="9" * 400)),
        Bad("time in words", "undecodable", SIZE, headers("h7", time="yesterday")),
        Bad("no such day", "undecodable", SIZE, headers("h8", time="2013-02-31T00:00:00Z")),
        Bad("first year", GOOD, SIZE, headers("h9", time="0001-01-01T00:00:00Z")),
        Bad("last year", GOOD, SIZE, headers("h10", time="9999-12-31T23:59:59Z")),
        Bad("a thousand headers", GOOD, SIZE, [*headers("h11"), *((f"x{n}", b"y") for n in range(1000))]),
        Bad("long header", GOOD, SIZE, [*headers("h12"), (LONG, LONG.encode())]),
        Bad("long id", GOOD, SIZE, headers("h13" + LONG)),
        Bad("strange id", GOOD, SIZE, headers("\x00\n\r\t\u202e\U0001f6eb'\"<b>")),
        Bad("its own headers of ours", "invalid", b"{}", [*headers("h14"), ("headrace-job-id", b"forged")]),
        Bad("broken trace", GOOD, SIZE, [*headers("h15"), ("traceparent", b"garbage")]),
    ]


def of_structure() -> list[Bad]:
    def structured(name: str, value: bytes | None, becomes: str = "undecodable") -> Bad:
        return Bad(name, becomes, value, [STRUCTURED])

    envelope = b'{"specversion": "1.0", "id": "s", "source": "/bad", "type": "input.measured", '
    return [
        structured("structured, null", None),
        structured("structured, no JSON", b"\xff"),
        structured("structured, a list", b"[]"),
        structured("structured, deep", envelope + b'"data": ' + DEEP + b"}"),
        structured("structured, number as id", envelope.replace(b'"s"', b"7") + b'"data": {"size": 1}}'),
        structured("structured, both data", envelope + b'"data": {}, "data_base64": "e30="}'),
        structured("structured, bad Base64", envelope + b'"data_base64": "!"}'),
        structured("structured, object as extension", envelope + b'"ext": {}, "data": {"size": 1}}'),
        structured(
            "structured, wrong type", envelope.replace(b'"s"', b'"s1"') + b'"data": {"size": "x"}}', "invalid"
        ),
        structured("structured, right", envelope.replace(b'"s"', b'"s2"') + b'"data": {"size": 1}}', GOOD),
        Bad("a batch", "undecodable", b"[]", [("content-type", b"application/cloudevents-batch+json")]),
        Bad("unknown format", "undecodable", b"x", [("content-type", b"application/cloudevents+avro")]),
    ]


def of_keys_and_times() -> list[Bad]:
    return [
        Bad("empty key", GOOD, SIZE, headers("k1"), key=b""),
        Bad("key not UTF-8", GOOD, SIZE, headers("k2"), key=b"\xff\xfe"),
        Bad("long key", GOOD, SIZE, headers("k3"), key=LONG.encode()),
        Bad("key not UTF-8, dead", "invalid", b"{}", headers("k4"), key=b"\xff\xfe"),
        Bad("time 0", GOOD, SIZE, headers("k5"), timestamp_ms=0),
        Bad("time -1", GOOD, SIZE, headers("k6"), timestamp_ms=-1),
        Bad("year 9999", GOOD, SIZE, headers("k7"), timestamp_ms=YEAR_9999_MS),
        Bad("year 9999, dead", "invalid", b"{}", headers("k8"), timestamp_ms=YEAR_9999_MS),
        Bad("time 0, dead", "invalid", b"{}", headers("k9"), timestamp_ms=0),
        Bad("the last moment", GOOD, SIZE, headers("k10"), timestamp_ms=2**62),
    ]


async def test_each_becomes_what_it_must(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(topic_of(app_id), exact=True, **ANY_TIME)
    records = [*of_bytes(), *of_types(), *of_headers(), *of_structure(), *of_keys_and_times()]
    worker = picky_worker(broker, app_id, tmp_path)
    async with running(worker):
        sent = await send_between(broker, topic, records, NEIGHBOUR)
        found = await became(broker, worker, topic, sent)
        assert differences(sent, found) == []
        assert await counted(worker, "telemetry_errors") == 0
    assert worker.process is not None
    assert worker.process.returncode == 0
