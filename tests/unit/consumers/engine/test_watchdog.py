import asyncio
from types import SimpleNamespace

import pytest

from consumers.engine import watchdog
from consumers.engine.watchdog import WorkerBroken, watch_clients


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch):
    monkeypatch.setattr(watchdog, "LOOK_EVERY_SECONDS", 0)


def app(**more):
    return SimpleNamespace(
        **{"should_stop": False, "crashed": False, "crash_reason": None, "_consumer": None, **more}
    )


async def ended():
    raise ValueError("by itself")


def producer(sender):
    client = SimpleNamespace(_sync_task=None, _md_synchronizer=None)
    return SimpleNamespace(client=client, _sender=SimpleNamespace(sender_task=sender))


async def watch(app, producers):
    async with asyncio.timeout(5):
        await watch_clients(app, lambda: producers)


async def test_a_crash_of_faust_ends_the_worker_with_its_reason():
    why = ValueError("no")
    with pytest.raises(WorkerBroken, match="no") as raised:
        await watch(app(crashed=True, crash_reason=why), {})
    assert raised.value.__cause__ is why


async def test_a_producer_whose_sender_ended_is_named():
    sender = asyncio.ensure_future(ended())
    await asyncio.wait({sender})
    with pytest.raises(WorkerBroken, match="outbox"):
        await watch(app(), {"outbox": producer(sender)})
    assert sender.exception()


async def test_a_worker_that_stops_is_watched_no_more():
    await watch(app(should_stop=True), {})
