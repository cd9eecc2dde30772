"""What consumers/engine/connection.py replaces in aiokafka, and what its mends do."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaConnectionError, RebalanceInProgressError
from aiokafka.protocol.metadata import MetadataRequest

from consumers.engine import connection
from consumers.engine.connection import dead_tasks, mend_commits, mend_connections
from tests.contract.stock import Stock

stock = Stock("consumers/engine/connection.py")
METADATA_VERSIONS = {3: (0, 1)}


class ResetTransport:
    """A writer on uvloop whose connection was just reset."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, _: bytes) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    def close(self) -> None:
        self.closed = True


class Group:
    """As much of a group coordinator as commits touch. `during` happens while one is under way."""

    group_id = "group"

    def __init__(self) -> None:
        self._performed_join_prepare = False
        self.generation = 4
        self.committed: list[Any] = []
        self.resets = 0
        self.during: Callable[[], None] = lambda: None
        self._do_commit_offsets: Callable[[Any, Any], Awaitable[None]] = self.commit_offsets
        self.reset_generation: Callable[[], None] = self.reset

    async def commit_offsets(self, _: Any, offsets: Any) -> None:
        await asyncio.sleep(0)
        self.committed.append(offsets)
        self.during()

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AIOKafkaConnection, "send", AIOKafkaConnection.send)  # to be restored
    mend_connections()
    mend_connections()


@pytest.fixture
def group() -> Group:
    group = Group()
    mend_commits(group)
    return group


def reset_connection(closed: list[Any]) -> Any:
    conn = AIOKafkaConnection("127.0.0.1", 1, on_close=lambda _, reason: closed.append(reason))
    conn._reader, conn._writer = SimpleNamespace(at_eof=lambda: False), ResetTransport()
    conn._read_task = SimpleNamespace(done=lambda: True)
    conn._versions = METADATA_VERSIONS
    return conn


def test_stock_send_handles_an_os_error_alone() -> None:
    stock.takes(connection._stock_send, "request", "expect_response")
    stock.says(connection._stock_send, "self._writer.write(size + message)", "except OSError as err:")
    stock.sets(AIOKafkaConnection, "_host", "_port")
    stock.accepts(AIOKafkaConnection.close, "reason")


async def test_a_write_to_a_reset_connection_fails_as_aiokafka_expects(mended: None) -> None:
    closed: list[Any] = []
    conn = reset_connection(closed)
    writer = conn._writer
    with pytest.raises(KafkaConnectionError, match=r"127\.0\.0\.1:1 broken"):
        conn.send(MetadataRequest([]))
    stock.holds(writer.closed and not conn.connected(), "the connection stays open")
    stock.holds(closed == [CloseReason.CONNECTION_BROKEN], f"its client is told {closed}")


async def test_without_the_mend_the_write_would_end_its_task() -> None:
    conn = reset_connection([])
    with pytest.raises(RuntimeError) as raised:
        connection._stock_send(conn, MetadataRequest([]))
    conn.close()
    stock.holds(not isinstance(raised.value, KafkaConnectionError), "aiokafka mended this: drop our mend")


def test_the_group_commits_where_we_cut_in() -> None:
    stock.takes(GroupCoordinator._do_commit_offsets, "assignment", "offsets")
    stock.takes(GroupCoordinator.reset_generation)
    stock.sets(GroupCoordinator, "generation", "group_id", "_performed_join_prepare", "_coordination_task")
    stock.says(GroupCoordinator.commit_offsets, "self._do_commit_offsets(assignment, offsets)")
    stock.says(
        GroupCoordinator._do_commit_offsets, "Errors.IllegalGenerationError", "self.reset_generation()"
    )
    stock.says(
        GroupCoordinator.ensure_active_group,
        "await self._on_join_prepare(prev_assignment)",
        "self._performed_join_prepare = True",
        "self._do_rejoin_group(subscription)",
        "self._performed_join_prepare = False",
    )


async def test_no_commit_during_a_join(group: Group) -> None:
    group._performed_join_prepare = True
    with pytest.raises(RebalanceInProgressError):
        await group._do_commit_offsets(None, {"t": 1})
    assert not group.committed
    group._performed_join_prepare = False
    await group._do_commit_offsets(None, {"t": 1})
    assert group.committed == [{"t": 1}]


async def test_a_refusal_for_an_older_generation_is_no_eviction(group: Group) -> None:
    def refused_late() -> None:
        group.generation += 1
        group.reset_generation()

    group.during = refused_late
    await group._do_commit_offsets(None, {"t": 1})
    assert group.resets == 0


async def test_a_refusal_for_this_generation_is_an_eviction(group: Group) -> None:
    group.during = group.reset_generation
    await group._do_commit_offsets(None, {"t": 1})
    assert group.resets == 1
    group.reset_generation()  # by a heartbeat or a join
    assert group.resets == 2


async def test_tasks_that_ended_are_named() -> None:
    stock.sets(AIOKafkaClient, "_sync_task")
    ended, running = asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(asyncio.Event().wait())
    await ended
    client = SimpleNamespace(_sync_task=ended)
    assert dead_tasks(client, sender=ended, other=running, none=None) == ["metadata", "sender"]
    assert dead_tasks(None, other=running) == []
    running.cancel()
