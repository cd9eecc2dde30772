"""The state of one history: workers, a broker, the events published so far, and how it is brought to rest."""

from typing import Any, Final

from faust.types import TP

from tests.model.clock import CLOCK
from tests.model.kafka import TOPIC, Kafka, Request
from tests.model.orders import OUTCOMES, placed
from tests.model.rules import Rules, Violation
from tests.model.state_reader import SimStateReader
from tests.model.worker import SESSION_SECONDS, SimWorker

KEYS: Final = (b"a", b"b", None)
ROUNDS: Final = 60


class World:
    """The state of one history."""

    def __init__(self, partitions: int) -> None:
        CLOCK.now = 1000.0
        self.now_ms = CLOCK.now_ms
        self.kafka = SimStateReader.kafka = Kafka(partitions, CLOCK.now_ms)
        self.wanted: dict[tuple[int, int], list[str] | None] = {}  # None: a letter and no job
        self.events: list[tuple[int, Any, Any, Any, list[str]]] = []
        self.workers: list[SimWorker] = []
        self.disks: list[dict[Any, dict[bytes, bytes]]] = [{}, {}]
        self.trace: list[str] = []
        self.rules = Rules(self)
        self.start(0)
        self.calm()

    # -- the world goes on

    def go_on(self) -> None:
        """Let every worker run until it waits, and the group decide what it can."""
        group = self.kafka.group
        for worker in list(self.workers):
            if worker.alive and not worker.frozen:
                if worker not in group.members:
                    group.add(worker, CLOCK.now)
                if group.rebalancing and worker not in group.joined:
                    worker.rejoin()
            worker.step()
            if not worker.alive:
                self._bury(worker)
        group.complete()
        for worker in list(self.workers):
            worker.step()
            if not worker.alive:
                self._bury(worker)
        self.rules.judge()

    def _bury(self, worker: SimWorker) -> None:
        self.workers.remove(worker)
        worker.bury()

    def calm(self) -> None:
        """Answer everything that was asked, until nobody asks."""
        for _ in range(200):
            self.go_on()
            asked = [
                (worker, request)
                for worker in self.workers
                if not worker.frozen
                for request in worker.heads()
            ]
            if not asked:
                return
            for worker, request in asked:
                self.answer(worker, request)
        raise Violation("never at rest", "workers ask for ever")

    @staticmethod
    def answer(worker: SimWorker, request: Request, error: Exception | None = None) -> None:
        if worker.frozen:
            if error is None:
                request.happen()
            return
        if error is None:
            request.happen()
        worker.pending.remove(request)
        request.reply(error)

    def pass_time(self, seconds: float) -> None:
        """The clock goes on; members that run send heartbeats, sessions of the others end."""
        CLOCK.now += seconds
        group = self.kafka.group
        for worker in self.workers:
            if worker in group.members and not worker.frozen:
                group.heard[worker] = CLOCK.now
                if worker.generation == group.generation and worker not in group.joined:
                    worker.consumer.last_heartbeat = CLOCK.now
        for worker in list(group.members):
            if CLOCK.now - group.heard[worker] > SESSION_SECONDS:
                group.remove(worker)

    # -- events

    def publish(self, kind: int) -> None:
        number = kind % self.kafka.partitions
        key = KEYS[kind // 4 % 3]
        choice = kind // 16
        if choice == 0:
            self._append(number, key, b"{", [("content-type", b"application/cloudevents+json")], None)
        elif choice in (1, 2) and self.events:
            number, key, value, headers, ids = self.events[kind % len(self.events)]
            self._append(number, key, value, headers, ids)
        else:
            type = ("order.placed", "order.noted", "order.placed", "order.ignored")[choice % 4]
            value, headers, ids = placed(type, len(self.events))
            self.events.append((number, key, value, headers, ids))
            self._append(number, key, value, headers, ids)

    def _append(self, number: int, key: Any, value: Any, headers: Any, ids: list[str] | None) -> None:
        self.wanted[number, self.kafka.end(TOPIC, number)] = ids
        self.kafka.append(TOPIC, number, key, value, headers)

    # -- workers

    def start(self, index: int, *, empty: bool = False) -> None:
        name = "AB"[index]
        if any(worker.name == name for worker in self.workers):
            return
        if empty:
            self.disks[index] = {}
        worker = SimWorker(self, name, self.disks[index])
        self.workers.append(worker)

    def finish(self, worker: SimWorker, argument: int) -> None:
        """End an attempt."""
        if worker.runs:
            run = worker.runs[argument // len(OUTCOMES) % len(worker.runs)]
            outcome = OUTCOMES[argument % len(OUTCOMES)]
            if not run.outcome.done():
                run.outcome.set_result(outcome)

    def kill(self, worker: SimWorker) -> None:
        worker.alive = False
        self._bury(worker)

    def leave(self, worker: SimWorker) -> None:
        """An orderly stop, as far as there is time for it."""
        worker.runners.accepting = False
        worker.consumer.stop_flow()
        worker.spawn(_farewell(worker))
        self.calm()
        if worker.alive:
            self.kill(worker)
            if worker in self.kafka.group.members:
                self.kafka.group.remove(worker)

    # -- the end

    def rest(self) -> None:
        """No more faults: everything that was published must come to its end."""
        for number in range(self.kafka.partitions):
            self.publish(4 * 16 + 3 * 16 + number)  # whatever was dropped is noticed by what comes after
        for worker in self.workers:
            worker.frozen, worker.writes_left = False, None
        if not self.workers:
            self.start(0)
        for _ in range(ROUNDS):
            self._work_off()
            if self._is_finished():
                break
            self.pass_time(3.0)
        for worker in self.workers:
            worker.spawn(worker.consumer.commit())
        self.calm()
        left = self.rules.all_done()
        if left:
            raise Violation("job lost", f"never finished: {left}")
        self._check_committed()
        self.rules.final()
        self.rules.judge()

    def _work_off(self) -> None:
        """Take what there is and complete it."""
        for _ in range(20):
            for worker in self.workers:
                worker.drain()
            self.calm()
            for worker in self.workers:
                worker.take()
            self.calm()
            busy = False
            for worker in self.workers:
                for run in worker.runs:
                    if not run.outcome.done():
                        run.outcome.set_result("complete")
                        busy = True
            if not busy and not any(worker.channel for worker in self.workers):
                return

    def _is_finished(self) -> bool:
        if self.kafka.group.rebalancing or self.rules.all_done():
            return False
        for number, worker in self.kafka.group.owners.items():
            tracker = worker.consumer.trackers.get(TP(TOPIC, number))
            if tracker is None or tracker.live or tracker.next != self.kafka.end(TOPIC, number):
                return False
        return not any(
            partition.in_flight for worker in self.workers for partition in worker.engine.partitions.values()
        )

    def _check_committed(self) -> None:
        for number in range(self.kafka.partitions):
            committed, end = (
                self.kafka.group.committed.get(TP(TOPIC, number), 0),
                self.kafka.end(TOPIC, number),
            )
            if committed != end:
                raise Violation("never committed", f"partition {number} up to {committed} of {end}")

    def close(self) -> None:
        for worker in list(self.workers):
            self.kill(worker)


async def _farewell(worker: SimWorker) -> None:
    worker.runners.stop_all()
    await worker.runners.idle()
    await worker.engine.settle_all()
    await worker.engine.release_all()
    await worker.consumer.commit_within(2.0)
