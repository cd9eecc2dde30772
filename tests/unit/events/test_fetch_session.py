"""A broker that keeps sessions as KIP-227 says, and our requests to it on the wire."""

import asyncio
from io import BytesIO

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4, FetchRequest_v11

from events.fetch_session import LAST_EPOCH, FetchSession, SessionClient

ALL = {("a", 0): 5, ("a", 1): 6, ("b", 0): 7}
LOST, WRONG_EPOCH = 70, 71


class Broker:
    """Answers like a broker with one session slot; remembers what requests named and what it knows."""

    def __init__(self, *, version=11, slots=True):
        self.version, self.slots = version, slots
        self.id = self.epoch = self.made = 0
        self.known, self.named, self.forgotten = {}, [], []
        self.fails = None

    async def send(self, node_id, request):
        versions = {FetchRequest.API_KEY: (0, self.version)}
        struct = request.prepare(versions)
        asked = type(struct).decode(BytesIO(struct.encode()))
        if self.fails is not None:
            error, self.fails = self.fails, None
            raise error
        named = {(topic, part[0]): part[-3] for topic, parts in asked.topics for part in parts}
        if self.version < 7:
            named = {(topic, part[0]): part[1] for topic, parts in asked.topics for part in parts}
        self.named.append(named)
        return Answer(*self._answer(asked, named)) if self.version >= 7 else object()

    def _answer(self, asked, named):
        self.forgotten.append(
            [(topic, part) for topic, parts in asked.forgotten_topics_data for part in parts]
        )
        if asked.session_epoch == 0:
            self.known = named
            if not self.slots:
                return 0, 0
            self.made += 1
            self.id, self.epoch = self.made, 1
            return 0, self.id
        if asked.session_id != self.id:
            return LOST, 0
        if asked.session_epoch != self.epoch:
            return WRONG_EPOCH, 0
        self.epoch += 1
        self.known = {
            place: at for place, at in self.known.items() if place not in self.forgotten[-1]
        } | named
        return 0, self.id


class Answer:
    def __init__(self, error_code, session_id):
        self.error_code, self.session_id = error_code, session_id


def fetch(client, wanted):
    topics = {}
    for (topic, partition), offset in wanted.items():
        topics.setdefault(topic, []).append((partition, offset, 1000))
    request = FetchRequest(100, 1, 5000, 0, list(topics.items()), rack_id="r")
    return asyncio.run(client.send(1, request))


def test_only_what_changed_is_named_and_the_broker_knows_all_of_it():
    broker = Broker()
    client = SessionClient(broker)
    moved = ALL | {("b", 0): 9}
    fewer = {("a", 1): 6, ("b", 0): 9}
    for wanted in (ALL, ALL, moved, fewer, ALL):
        fetch(client, wanted)
        assert broker.known == wanted
    assert broker.named == [ALL, {}, {("b", 0): 9}, {}, {("a", 0): 5, ("b", 0): 7}]
    assert broker.forgotten == [[], [], [], [("a", 0)], []]
    assert broker.made == 1


@pytest.mark.parametrize("loses", ["id", "epoch"])
def test_a_lost_session_is_made_anew_at_once(loses):
    broker = Broker()
    client = SessionClient(broker)
    fetch(client, ALL)
    setattr(broker, loses, 77)
    assert fetch(client, ALL).error_code == 0
    assert broker.named[-2:] == [{}, ALL]
    assert broker.made == 2


def test_after_a_failure_everything_is_named():
    broker = Broker()
    client = SessionClient(broker)
    fetch(client, ALL)
    for failure in (KafkaConnectionError(), asyncio.CancelledError()):
        broker.fails = failure
        with pytest.raises(type(failure)):
            fetch(client, ALL)
        fetch(client, ALL)
        assert broker.named[-1] == ALL


def test_each_broker_has_a_session_of_its_own():
    client = SessionClient(Broker())
    assert fetch(client, ALL)
    request = FetchRequest(100, 1, 5000, 0, [("a", [(0, 5, 1000)])])
    asyncio.run(client.send(2, request))
    assert client._client.named == [ALL, {("a", 0): 5}]


def test_a_broker_without_room_for_sessions_gets_whole_requests():
    broker = Broker(slots=False)
    client = SessionClient(broker)
    fetch(client, ALL)
    fetch(client, ALL)
    assert broker.named == [ALL, ALL]


@pytest.mark.parametrize("version", [4, 10])
def test_older_brokers_are_asked_in_their_own_way(version):
    broker = Broker(version=version)
    client = SessionClient(broker)
    fetch(client, ALL)
    fetch(client, ALL)
    assert broker.named == [ALL, ALL if version < 7 else {}]


def test_other_requests_and_names_are_the_clients():
    broker = Broker()
    client = SessionClient(broker)
    assert client.version == 11

    class Other:
        def prepare(self, versions):
            return FetchRequest_v4(-1, 1, 1, 1, 0, [])

    broker.version = 4
    asyncio.run(client.send(1, Other()))
    assert broker.named == [{}]


def test_a_whole_request_is_what_the_stock_one_is():
    broker = Broker()
    sent = []

    class Wire:
        async def send(self, node_id, request):
            sent.append(request.prepare({1: (0, 11)}))
            return await broker.send(node_id, request)

    request = FetchRequest(100, 1, 5000, 1, [("a", [(0, 5, 1000)])], rack_id="r")
    asyncio.run(SessionClient(Wire()).send(1, request))
    stock = request.prepare({1: (0, 11)})
    stock.session_epoch = 0
    assert isinstance(stock, FetchRequest_v11)
    assert sent[0].encode() == stock.encode()


def test_the_epoch_starts_again_behind_its_last():
    session = FetchSession()
    session.answered({}, 5)
    session.epoch = LAST_EPOCH
    session.answered({}, 5)
    assert session.epoch == 1
