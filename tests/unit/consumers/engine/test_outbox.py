import pytest
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    ProducerClosed,
    TopicAuthorizationFailedError,
)

from consumers.engine import outbox as module
from consumers.engine.group import Letter
from consumers.engine.outbox import PAYLOAD_LEFT_OUT, Outbox
from consumers.errors import OutputFailed
from consumers.settings import WorkerSettings
from tests.unit.consumers.engine.producers import Producer


class Producers(list):
    """Every producer the outbox had, the newest last."""


@pytest.fixture
async def made(monkeypatch):
    made = Producers()

    async def new(self):
        made.append(Producer())
        return made[-1]

    async def disconnect(producer):
        pass

    monkeypatch.setattr(Outbox, "_new_producer", new)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0)
    monkeypatch.setattr(module, "disconnect", disconnect)
    return made


@pytest.fixture
async def outbox(made):
    outbox = Outbox(WorkerSettings(max_message_bytes=2000))
    await outbox.start()
    yield outbox
    await outbox.stop()


async def test_a_record_is_sent_as_it_is(outbox, made):
    await outbox.send("t", b"k", b"v", [("h", b"1")])
    assert made[0].sent == [("t", b"k", b"v", [("h", b"1")])]


async def test_what_is_too_large_never_reaches_the_producer(outbox, made):
    with pytest.raises(OutputFailed, match="HEADRACE_MAX_MESSAGE_BYTES=2000"):
        await outbox.send("t", None, b"", [("h", b"x" * 2000)])
    assert made[0].sent == []


async def test_a_topic_that_is_not_there_is_named(outbox, made):
    with pytest.raises(OutputFailed, match="'nowhere' does not exist"):
        await outbox.send("nowhere", None, b"", [])
    assert len(made) == 1


async def test_a_broker_that_is_away_is_waited_for_with_the_same_producer(outbox, made):
    made[0].errors = [NotEnoughReplicasError()]
    await outbox.send("t", None, b"v", [])
    assert (len(made), len(made[0].sent)) == (1, 1)


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError(), InvalidTopicError()])
async def test_a_refusal_fails_the_output_and_renews_the_producer(outbox, made, error):
    made[0].errors = [error]
    with pytest.raises(OutputFailed, match="refused an event"):
        await outbox.send("t", None, b"v", [])
    assert len(made) == 2
    await outbox.send("t", None, b"next", [])
    assert len(made[1].sent) == 1


async def test_an_unknown_fatal_error_renews_the_producer_and_repeats(outbox, made):
    made[0].errors = [KafkaError()]
    await outbox.send("t", None, b"v", [])
    assert len(made) == 2
    assert len(made[1].sent) == 1


async def test_a_batch_too_large_is_not_yet_a_record_too_large(outbox, made):
    made[0].errors = [MessageSizeTooLargeError()]
    await outbox.send("t", b"k", b"v", [])
    assert [[record.value for record in batch] for batch in made[-1].batches] == [[b"v"]]


async def test_a_record_too_large_alone_fails(outbox, made, monkeypatch):
    made[0].errors = [MessageSizeTooLargeError()]
    await outbox._renew(made[0])
    made[1].errors = [MessageSizeTooLargeError(), MessageSizeTooLargeError()]

    async def same(broken):
        pass

    monkeypatch.setattr(outbox, "_renew", same)
    with pytest.raises(OutputFailed, match="too large"):
        await outbox.send("t", b"k", b"v", [])


async def test_a_broken_producer_is_renewed_once(outbox, made):
    broken = outbox.producer
    await outbox._renew(broken)
    await outbox._renew(broken)
    assert len(made) == 2


LETTERS = [Letter(b"a", b"1", [("headrace-reason", b"failed"), ("own", b"x")]), Letter(b"b", b"2", [])]


async def test_letters_go_to_their_partition_together(outbox, made):
    await outbox.send_letters("dlq", 3, LETTERS)
    assert [[record.key for record in batch] for batch in made[0].batches] == [[b"a", b"b"]]


async def test_letters_too_large_together_are_whole_alone(outbox, made, monkeypatch):
    monkeypatch.setattr(outbox, "_renew", _nothing)
    made[0].errors = [MessageSizeTooLargeError()]
    await outbox.send_letters("dlq", 3, LETTERS)
    assert [[record.value for record in batch] for batch in made[0].batches] == [[b"1"], [b"2"]]


@pytest.mark.parametrize(
    "error", [MessageSizeTooLargeError(), NotEnoughReplicasError(), KafkaTimeoutError(), ProducerClosed()]
)
async def test_letters_that_were_taken_are_not_written_again_for_those_that_were_not(outbox, made, error):
    made[0].room = 1
    made[0].errors = [None, error]
    letters = [*LETTERS, Letter(b"c", b"3", [])]
    await outbox.send_letters("dlq", 3, letters)
    written = [record.key for producer in made for batch in producer.batches for record in batch]
    assert sorted(written) == [b"a", b"b", b"c"]
    assert len(made) == (1 if error.retriable else 2)


async def test_only_the_letter_that_is_too_large_alone_is_shortened(outbox, made, monkeypatch):
    monkeypatch.setattr(outbox, "_renew", _nothing)
    made[0].errors = [MessageSizeTooLargeError(), MessageSizeTooLargeError()]
    await outbox.send_letters("dlq", 3, LETTERS)
    (short,), (whole,) = made[0].batches
    assert (short.key, short.value) == (b"a", None)
    assert short.headers == [*LETTERS[0].headers, PAYLOAD_LEFT_OUT]
    assert whole.value == b"2"


async def test_a_letter_too_large_without_its_value_keeps_our_headers(outbox, made, monkeypatch):
    monkeypatch.setattr(outbox, "_renew", _nothing)
    made[0].errors = [MessageSizeTooLargeError()] * 3
    await outbox.send_letters("dlq", 3, LETTERS[:1])
    ((letter,),) = made[0].batches
    assert (letter.key, letter.value) == (None, None)
    assert letter.headers == [("headrace-reason", b"failed"), PAYLOAD_LEFT_OUT]


async def _nothing(broken):
    pass
