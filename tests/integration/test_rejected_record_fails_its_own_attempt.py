"""An output Kafka will not have fails the attempt that made it, and nothing else; later outputs work."""

from collections import Counter
from pathlib import Path
from random import Random

from aiokafka.admin import NewTopic

from events.broker import LocalBroker
from events.provision import connected
from events.settings import ClientSettings
from schemas.cloudevent import CloudEvent
from tests.integration.conftest import MakeTopic, OwnBroker
from tests.integration.consuming import records_of
from tests.integration.kafka_rules import AUTHORIZER, allow_reading, forbid_writing
from tests.integration.observing import event, header, job_of, notes, observed_worker, topic_of
from tests.integration.steering import ledger_of, letters_of, publish_spread, running
from tests.waiting import until

EACH = 15


def wanted(name: str, to: str, size: int) -> list[CloudEvent]:
    return [event("output.wanted", f"{name}{number}", to=to, size=size) for number in range(EACH)]


async def outcome_of(
    broker: str, app_id: str, events: list[CloudEvent]
) -> tuple[Counter[str], list[dict[str, str]]]:
    """States of all jobs and the letters, once all are finished."""
    states: Counter[str] = Counter()

    async def all_finished() -> bool:
        states.clear()
        for records in (await ledger_of(broker, app_id)).values():
            states.update([records[-1].document["state"]])
        return states.total() >= len(events)

    await until(all_finished, within_seconds=90)
    return states, await letters_of(broker, app_id)


def mixed(*kinds: list[CloudEvent]) -> list[CloudEvent]:
    return [each for together in zip(*kinds, strict=True) for each in together]


async def test_too_large_for_the_topic_or_for_the_setting(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    tight = await make_topic("tight", max_message_bytes=3000)
    roomy = await make_topic("roomy")
    good = mixed(wanted("fits", tight, 100), wanted("elsewhere", roomy, 100))
    bad = mixed(wanted("refused", tight, 10_000), wanted("checked", roomy, 2_000_000))
    worker = observed_worker(broker, app_id, tmp_path, "publishing")
    async with running(worker):
        await publish_spread(broker, app_id, mixed(good, bad))
        states, letters = await outcome_of(broker, app_id, [*good, *bad])
        assert states == {"completed": len(good), "failed": len(bad)}
        later = wanted("later", tight, 100)
        await publish_spread(broker, app_id, later)
        await outcome_of(broker, app_id, [*good, *bad, *later])
    assert {letter["headrace-job-id"] for letter in letters} == {job_of("sending", each.id) for each in bad}
    assert {(letter["headrace-reason"], letter["headrace-attempts"]) for letter in letters} == {
        ("exhausted", "2")
    }
    assert any("HEADRACE_MAX_MESSAGE_BYTES" in letter["headrace-exception-message"] for letter in letters)
    records = [*await records_of(broker, tight), *await records_of(broker, roomy)]
    sent = Counter(header(record, "ce_id") for record in records)
    assert sent.keys() == {each.id for each in [*good, *later]}
    tries = Counter(note.event_id for note in notes(tmp_path, "started"))
    assert {tries[each.id] for each in [*good, *later]} == {1}, (
        "neighbours of a refused record lose no attempt"
    )
    assert {tries[each.id] for each in bad} == {2}


async def test_not_authorised(own_broker: OwnBroker, app_id: str, tmp_path: Path) -> None:
    local: LocalBroker = own_broker(overrides=AUTHORIZER)
    servers = local.bootstrap_servers
    async with connected(ClientSettings(bootstrap_servers=servers)) as admin:
        await admin.create_topics(
            [NewTopic("open", 1, 1), *(NewTopic(name, 1, 1) for name in ("forbidden", "hidden"))]
        )
    for topic in ("hidden", "forbidden"):
        await forbid_writing(servers, topic)
    await allow_reading(servers, "forbidden")
    good, bad = wanted("good", "open", 10), wanted("bad", "forbidden", 10)
    unseen = wanted("unseen", "hidden", 10)
    async with running(observed_worker(servers, app_id, tmp_path, "publishing")):
        await publish_spread(servers, app_id, mixed(good, bad, unseen))
        states, letters = await outcome_of(servers, app_id, [*good, *bad, *unseen])
    assert states == {"completed": EACH, "failed": 2 * EACH}
    said = {letter["headrace-job-id"]: letter["headrace-exception-message"] for letter in letters}
    assert all("does not let" in said[job_of("sending", each.id)] for each in bad)
    assert all("may not be seen" in said[job_of("sending", each.id)] for each in unseen)
    sent = {header(record, "ce_id") for record in await records_of(servers, "open")}
    assert sent == {each.id for each in good}
    assert not await records_of(servers, "forbidden")


async def test_a_topic_that_does_not_exist(broker: str, app_id: str, tmp_path: Path) -> None:
    nowhere = wanted("nowhere", f"{app_id}-nowhere", 10)
    async with running(observed_worker(broker, app_id, tmp_path, "publishing")):
        await publish_spread(broker, app_id, nowhere)
        states, letters = await outcome_of(broker, app_id, nowhere)
    assert states == {"failed": EACH}
    assert all("does not exist" in letter["headrace-exception-message"] for letter in letters)


async def test_an_event_too_large_for_the_letters(
    broker: str, app_id: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    await make_topic(f"{app_id}.{topic_of(app_id)}.dlq", exact=True, max_message_bytes=20_000)
    huge = event(
        "output.wanted", "huge", to="never.asked\x00", size=1, filler=Random(1).randbytes(50_000).hex()
    )
    small = event("output.wanted", "small", to="never.asked\x00", size=1)
    async with running(observed_worker(broker, app_id, tmp_path, "publishing")):
        await publish_spread(broker, app_id, [small, huge, small])
        states, letters = await outcome_of(broker, app_id, [small, huge])
    assert states == {"failed": 2}
    by_job = {letter["headrace-job-id"]: letter for letter in letters}
    assert "headrace-payload" not in by_job[job_of("sending", "small")]
    assert by_job[job_of("sending", "huge")]["headrace-payload"].startswith("too large to copy")
    assert by_job[job_of("sending", "huge")]["headrace-origin-offset"] == "1"
