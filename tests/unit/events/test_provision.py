"""Without Kafka the message says where it was looked for and what to do."""

import pytest

from events.broker.ports import free_port, port_holder, port_taken
from events.broker.ready import answers
from events.errors import BrokerUnreachable
from events.provision import connected
from events.settings import ClientSettings


async def test_nobody_answers() -> None:
    settings = ClientSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerUnreachable, match=f"{settings.bootstrap_servers}.*`headrace broker up`"):
        async with connected(settings):
            raise AssertionError("connected to nobody")
    assert not answers(settings.bootstrap_servers)


def test_the_holder_of_a_port_is_named_or_how_to_find_it() -> None:
    port = free_port()
    assert not port_taken(port)
    assert str(port) in port_holder(port)
