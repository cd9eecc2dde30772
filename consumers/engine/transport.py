"""How records leave Kafka: whole batches per partition, through Faust's consumer thread, to the agents of
our topics.

Faust's own per-message path can commit past unfinished messages and forgets acks on a rebalance, so what is
taken, what may be committed and where reading goes on are decided here. Which internals this relies on is
pinned by `tests/contract/`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import structlog
from faust import Event
from faust.topics import Topic
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from consumers.engine.begun import begin
from consumers.engine.connection import mend_commits
from consumers.engine.consumer_thread import ConsumerThread
from consumers.engine.tracker import Tracker

log = structlog.get_logger()

GETMANY_SECONDS: Final = 0.05
HOLD_SECONDS: Final = 0.02
TURNS_TO_HANDLER: Final = 2  # of the loop: to the agent, and to a runner
REVOKE_COMMIT_SECONDS: Final = 3.0


class Batch:
    """Records of one partition as fetched. `start` is the offset they were asked from, None for the very
    first."""

    __slots__ = ("epoch", "records", "start", "tp")

    def __init__(self, tp: TP, records: list[Any], start: int | None, epoch: int) -> None:
        self.tp, self.records, self.start, self.epoch = tp, records, start, epoch


class BatchTopic(Topic):  # type: ignore[misc]
    """A topic whose messages carry a whole `Batch` as their value."""

    def _compile_decode(self) -> None:
        self.decode = self._hand_over

    async def _hand_over(self, message: Any, *, propagate: bool = False) -> Event:
        return Event(self.app, None, message.value, [], message)


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Hands over batches, commits watermarks, and keeps what stays over a rebalance."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.engine: Any = self.app.engine
        self.trackers: dict[TP, Tracker] = {}
        self.epoch = 0
        self.waiting: Counter[TP] = Counter()  # records handed over in this epoch and not taken yet
        self._positioned = False  # whether it is known where reading new partitions begins
        self._astray = False  # whether reading may be elsewhere than taking got to
        self.last_heartbeat = time.monotonic()
        self._joined = time.monotonic()  # when the newest generation of the group was asked for, or before
        self._generation = -1  # of the group, when partitions were last assigned
        self.last_poll = time.monotonic()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def watch_heartbeats(self, coordinator: Any) -> None:
        """Remember when the group last answered: a worker thawed after its session must not write."""
        stock = coordinator._do_heartbeat

        async def do_heartbeat() -> bool:
            asked = time.monotonic()
            answered: bool = await stock()
            if answered:
                self.last_heartbeat = asked
            return answered

        coordinator._do_heartbeat = do_heartbeat
        stock_rejoin = coordinator._do_rejoin_group

        async def do_rejoin_group(subscription: Any) -> bool:
            self._joined = time.monotonic()
            rejoined: bool = await stock_rejoin(subscription)
            return rejoined

        coordinator._do_rejoin_group = do_rejoin_group
        mend_commits(coordinator)

    # -- reading

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._drain_once()
        except (*self.consumer_stopped_errors, asyncio.CancelledError):
            if not self.app.should_stop:
                raise
        except Exception as error:
            log.exception("fetching_failed")
            await self.app.crash(error)

    async def _drain_once(self) -> None:
        self._stay_in_group()
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
            return
        if self._astray:
            await self._seek_to_taken()
        owned = self._get_active_partitions()
        active = self.engine.open_partitions(owned)
        if not self._positioned:
            active -= self.trackers.keys()
        if not active:
            await asyncio.sleep(HOLD_SECONDS)
            return
        epoch = self.epoch
        # Of those left out records may be there already: look again as soon as there may be room.
        fetched = await self._getmany(active, GETMANY_SECONDS if active == owned else HOLD_SECONDS)
        self.last_poll = time.monotonic()
        if not fetched or self.should_stop:
            await asyncio.sleep(0)
            return
        for partition, records in fetched.items():
            if epoch != self.epoch or not self.flow_active:
                return  # every partition is sought anew before reading goes on
            await self._hand_over(TP(partition.topic, partition.partition), records, epoch)
        for _ in range(TURNS_TO_HANDLER):  # they go first, asking for more can wait
            await asyncio.sleep(0)

    def _stay_in_group(self) -> None:
        """Count as polling in every turn: a member without partitions is evicted otherwise and cannot come
        back."""
        consumer = self._thread._consumer
        if consumer is not None:
            with consumer._subscription.fetch_context():
                pass

    async def _hand_over(self, tp: TP, records: list[Any], epoch: int) -> None:
        start = self._read_offset[tp]
        if start is not None and records[0].offset < start:
            records = [record for record in records if record.offset >= start]
            if not records:
                return
        self._read_offset[tp] = records[-1].offset + 1
        if tp in self.trackers:
            self.waiting[tp] += len(records)
            message = self._batch_message(tp, records[-1], Batch(tp, records, start, epoch))
            # To wait for every message would cost four tasks, and the agent's queue is hardly ever full.
            rest = begin(self.callback(message))
            if rest is not None:
                await self.wait_first(rest, self.suspend_flow.wait())
        elif self._is_changelog_tp(tp):
            self.app.tables.recovery.restore(tp, records)
            await asyncio.sleep(0)

    def _batch_message(self, tp: TP, last: Any, batch: Batch) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            last.headers,
            None,
            batch,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def taken(self, batch: Batch) -> None:
        """A batch that was handed over waits no more."""
        if batch.epoch == self.epoch:
            self.waiting[batch.tp] -= len(batch.records)

    def _begin_epoch(self) -> None:
        """Batches handed over until now are left alone; some may never reach their agent."""
        self.epoch += 1
        self.waiting.clear()

    def read_again(self) -> None:
        """Records were left alone: what is fetched but not taken is fetched once more, on all partitions."""
        self._begin_epoch()
        self._astray = True

    async def _seek_to_taken(self) -> None:
        """Go back to where taking got to.

        Only between two fetches: one under way could move on from where we sought, be dropped for its epoch,
        and so leave a hole.
        """
        self._astray = False
        owned = self.assignment()
        await self.seek_wait({tp: tracker.next or 0 for tp, tracker in self.trackers.items() if tp in owned})

    async def stop_fetching(self, changelogs: set[TP]) -> None:
        """Fetch no more of what only we write, until the next assignment.

        Faust's own pause leaves them in the fetcher: its requests come back at once with our own records, and
        hold up those of the inputs.
        """
        await self._thread.call_thread(self._thread.pause_fetching, changelogs)

    # -- committing

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterable[TP]:
        return [tp for tp in self.trackers if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        tracker = self.trackers.get(tp)
        return None if tracker is None else tracker.watermark

    def _should_commit(self, tp: TP, offset: int | None) -> bool:
        committed = self._committed_offset[tp]
        return offset is not None and (committed is None or offset > committed)

    async def _commit_tps(self, tps: Iterable[TP], start_new_transaction: bool) -> bool:
        """The stock one remembers what Kafka refused as committed, and never tries it again."""
        generation, offsets = self._generation, self._filter_committable_offsets(tps)
        if not offsets or not await self._thread.commit_in(generation, offsets):
            return False
        if generation == self._generation:
            self._committed_offset.update(offsets)
        return True

    async def force_commit(self, *args: Any, **kwargs: Any) -> bool:
        committed: bool = await super().force_commit(*args, **kwargs)
        if committed:
            self.engine.committed()
        return committed

    async def commit_within(self, seconds: float) -> None:
        """Commit, but wait no longer than `seconds`. (`wait_for` does not end a commit that waits for
        another.)"""
        await asyncio.wait({asyncio.ensure_future(self.commit())}, timeout=seconds)

    # -- rebalancing

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """A rebalance begins. Nothing is dropped yet: most partitions usually come back."""
        self._begin_epoch()
        self._positioned = False
        self.stop_flow()
        await self.engine.rebalance_started(revoked)
        await self.commit_within(REVOKE_COMMIT_SECONDS)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Drop what went away, keep trackers and running jobs of what stayed.

        After a generation of the group we were not given partitions in, nothing stayed: others may have had
        them meanwhile, even when they are ours again.
        """
        self._begin_epoch()
        self._positioned = False
        self.last_heartbeat = max(self.last_heartbeat, self._joined)
        missed = generation_id not in (self._generation, self._generation + 1)
        self._generation = generation_id
        if missed:
            self.trackers.clear()
            self.engine.start_over()
        inputs = {tp for tp in assigned if self.engine.is_input(tp.topic)}
        for tp in self.trackers.keys() - inputs:
            del self.trackers[tp]
        for tp in inputs - self.trackers.keys():
            self.trackers[tp] = Tracker()
        self.engine.partitions_assigned(inputs, self.trackers, generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    async def perform_seek(self) -> None:
        """Continue new partitions from their committed offset and kept ones from where taking got to."""
        await super().perform_seek()
        for tp, tracker in self.trackers.items():
            if tracker.next is None and (self._committed_offset[tp] or 0) > 0:  # -1: nothing committed yet
                tracker.next = self._committed_offset[tp]
        self._positioned = True
        self.read_again()


class Transport(driver.Transport):  # type: ignore[misc]
    """Kafka as Faust reaches it, with our consumer."""

    Consumer = Consumer
