"""How a partition is put together: parts of its own, wired to those the worker shares."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog

from consumers.announcing.announcer import Announcer
from consumers.engine.cancelling import Cancelling
from consumers.engine.commands import CommandReader
from consumers.engine.decisions import Answered, Broken, Decision, Known, Parked, Rerouted
from consumers.engine.desk import Desk
from consumers.engine.execution import Execution
from consumers.engine.group import Planner, TooLargeToKeep
from consumers.engine.job import Job
from consumers.engine.moving import Moving
from consumers.engine.originals import find_original
from consumers.engine.outbox import Outbox
from consumers.engine.parking import Parking
from consumers.engine.partition import Partition
from consumers.engine.reader import Reader, new_writer
from consumers.engine.records import Pen
from consumers.engine.repair import Repair
from consumers.engine.runners import Runners
from consumers.engine.schedule_commands import ScheduleCommands
from consumers.engine.schedules import Schedules
from consumers.engine.sending import Sending
from consumers.engine.settlement import Settlement
from consumers.engine.standing import Standing
from consumers.engine.statelog import StateLog, StateLogClosed
from consumers.engine.suspicion import Suspicion
from consumers.engine.sweeping import sweep
from consumers.registry import Registry
from consumers.settings import WorkerSettings
from consumers.telemetry.telemetry import Telemetry
from consumers.workflows.following import Following
from consumers.workflows.joins import Joins
from events.times import now_ms
from events.topics import Source, commands_topic, dlq_topic, jobs_source, ledger_topic, retry_topic
from schemas.deadletter import Reason
from schemas.state import SCHEDULE_PREFIX

log = structlog.get_logger()
_UNSEEN: Final = (Known, Parked, Rerouted, Answered, Broken)


@dataclass(kw_only=True)
class Assembly:
    """What all partitions of a worker share. `engine` is set once, right after construction."""

    settings: WorkerSettings
    registry: Registry
    sources: tuple[Source, ...]
    telemetry: Telemetry
    outbox: Outbox
    sending: Sending
    state_producer: Any
    runners: Runners
    execution: Execution
    announcer: Announcer | None = None
    engine: Any = None
    parkings: dict[tuple[str, int], Parking] = field(default_factory=dict)
    schedules: dict[tuple[str, int], Schedules] = field(default_factory=dict)
    tasks: dict[tuple[str, int], list[asyncio.Task[None]]] = field(default_factory=dict)

    def inputs(self) -> dict[str, str]:
        """Input topic → source, commands included."""
        app_id = self.settings.app_id
        found = {topic: source.name for source in self.sources for topic in source.topics}
        return found | {commands_topic(app_id, source.name): source.name for source in self.sources}

    def states(self) -> dict[str, str]:
        """State topic → source."""
        app_id = self.settings.app_id
        return {
            topic(app_id, source.name): source.name
            for source in self.sources
            for topic in (retry_topic, ledger_topic)
        }

    def reader(self, source: Source) -> Reader:
        """Reads the input topics of a source."""
        return Reader(
            registry=self.registry,
            source=source.name,
            jobs_topics=frozenset(jobs_source(self.settings.app_id).topics),
            default_types={**self.registry.json_topics, **self.settings.json_topics},
            now_ms=now_ms,
            patience_ms=int(self.settings.unknown_task_patience_seconds * 1000),
        )

    def command_reader(self, source: Source) -> CommandReader:
        return CommandReader(self.reader(source))

    def new_partition(self, source: Source, number: int) -> Partition:
        """A partition that was just assigned; it works once it is activated."""
        app_id, writer = self.settings.app_id, new_writer()
        retry, ledger = (
            StateLog(
                producer=self.state_producer,
                topic=topic(app_id, source.name),
                partition=number,
                writer=writer,
                heard=lambda: self.engine.app.consumer.last_heartbeat,
            )
            for topic in (retry_topic, ledger_topic)
        )
        partition = Partition(
            source=source.name,
            number=number,
            retry=retry,
            ledger=ledger,
            now_ms=now_ms,
            runners=self.runners,
            report=self.report,
            abandoned=self.telemetry.abandoned,
            flush=self.telemetry.flush,
        )
        parking = Parking(
            partition=partition,
            reader=self.reader(source),
            now_ms=now_ms,
            in_flight_limit=self.settings.partition_in_flight,
        )
        self.parkings[source.name, number] = parking
        partition.settlement = self._settlement(partition, parking, writer, source)
        partition.desk = self._desk(partition, parking, source)
        self._add_schedules(partition, parking, writer, source)
        partition.joins = Joins(
            partition=partition,
            reader=self.reader(source),
            sending=self.sending,
            writer=writer,
            app_id=app_id,
            now_ms=now_ms,
        )
        return partition

    def _add_schedules(self, partition: Partition, parking: Parking, writer: int, source: Source) -> None:
        """Cursors of schedules are among the jobs."""
        if not source.is_jobs or self.announcer is None:
            return
        schedules = Schedules(
            partition=partition,
            parking=parking,
            standing=Standing(partition=partition, now_ms=now_ms),
            reader=self.reader(source),
            view=self.announcer.view,
            ready=self.announcer.ready,
            partitions=source.partitions or 1,
            app_id=self.settings.app_id,
            pen=Pen(writer=writer, worker=self.settings.worker_name, release=self.settings.release),
            now_ms=now_ms,
        )
        parking.keepers[SCHEDULE_PREFIX] = schedules.fire
        partition.desk.handlers |= ScheduleCommands(schedules=schedules, now_ms=now_ms).handlers()
        self.announcer.listeners.add(schedules.registry_changed)
        self.schedules[source.name, partition.number] = schedules

    def _desk(self, partition: Partition, parking: Parking, source: Source) -> Desk:
        reader, standing = self.reader(source), Standing(partition=partition, now_ms=now_ms)
        return Desk(
            partition=partition,
            cancelling=Cancelling(standing=standing, parking=parking, reader=reader),
            moving=Moving(
                standing=standing,
                parking=parking,
                reader=reader,
                find_original=partial(find_original, self.settings, source.name, partition.number),
                now_ms=now_ms,
            ),
            now_ms=now_ms,
        )

    def _settlement(self, partition: Partition, parking: Parking, writer: int, source: Source) -> Settlement:
        pen = Pen(writer=writer, worker=self.settings.worker_name, release=self.settings.release)
        return Settlement(
            planner=Planner(pen=pen, max_result_bytes=self.settings.max_result_bytes),
            retry=partition.retry,
            ledger=partition.ledger,
            letters_topic=dlq_topic(self.settings.app_id, source.name),
            outbox=self.outbox,
            sending=self.sending,
            may_write=self.engine.may_write,
            now_ms=now_ms,
            decide=self.execution.decide,
            acked=partition.acked,
            parked=parking.changed,
            counted=parking.counts.settled,
            settled_in=self.telemetry.group_settled,
            app_id=self.settings.app_id,
            gather_seconds=self.settings.gather_seconds,
            following=Following.of(self.settings, self.sources),
        )

    def activate(self, partition: Partition) -> None:
        """Begin to work: state is restored, and the partition is fenced."""
        assert partition.retry.db is not None
        before = partition.retry.db.previous_fence
        if before is not None and not before.released:
            span = self.settings.max_distance + self.settings.partition_in_flight
            partition.suspicion = Suspicion(since_ms=now_ms(), span=span)
            log.warning("unclean_stop_before", source=partition.source, partition=partition.number)
        partition.joins.restore()
        partition.active = True
        key = (partition.source, partition.number)
        repair = Repair(
            partition=partition,
            settings=self.settings,
            ends=self.engine.state_ends,
            may_write=self.engine.may_write,
        )
        self.tasks[key] = [
            self._spawn(partition.settlement.run()),
            self._spawn(self.parkings[key].run()),
            self._spawn(partition.desk.run()),
            self._spawn(partition.joins.run()),
            self._spawn(sweep(partition, now_ms, interval_seconds=self.settings.sweep_interval_seconds)),
            self._spawn(self.parkings[key].counts.take_stock(partition)),
            self._spawn(repair.run()),
        ]
        if key in self.schedules:
            self.tasks[key].append(self._spawn(self.schedules[key].run()))

    def dismantle(self, source: str, number: int) -> None:
        """Stop the background work of a partition that went away."""
        self.parkings.pop((source, number), None)
        schedules = self.schedules.pop((source, number), None)
        if schedules is not None and self.announcer is not None:
            self.announcer.listeners.discard(schedules.registry_changed)
        for task in self.tasks.pop((source, number), []):
            task.cancel()

    def dismantle_all(self) -> None:
        """Stop the background work of every partition: the worker ends."""
        for source, number in list(self.tasks):
            self.dismantle(source, number)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        self.engine.crashed(task.exception())

    def report(self, job: Job, decision: Decision) -> None:
        """Tell telemetry what became of a job."""
        if isinstance(decision, _UNSEEN):
            return
        if job.task is None and not job.id:
            self.telemetry.undecodable(job.source, getattr(decision, "reason", Reason.UNDECODABLE))
            return
        self.telemetry.settled(job, decision, job.duration_seconds)

    def detach(self, job: Job) -> None:
        """Stop holding the partition for a job that runs long: remember it, then let its offset go."""
        if job.partition is None or job.partition.lost:
            return
        work = self._detach(job, job.partition)
        asyncio.get_running_loop().create_task(work).add_done_callback(self._ended)

    def show(self, job: Job) -> None:
        """Let others see that a job runs, and how far it is."""
        if job.partition is None or job.partition.lost:
            return
        work = self._show(job, job.partition)
        asyncio.get_running_loop().create_task(work).add_done_callback(self._ended)

    @staticmethod
    async def _show(job: Job, partition: Partition) -> None:
        try:
            await partition.settlement.remember([job])
        except StateLogClosed:
            return
        except TooLargeToKeep:
            return  # it is not seen, and runs all the same
        progress = job.progress
        if progress is not None:
            shown = {name: progress[name] for name in ("done", "total", "note")}
            log.info("task_progress", job_id=job.id, task=job.task_name, **shown)

    @staticmethod
    async def _detach(job: Job, partition: Partition) -> None:
        try:
            await partition.settlement.remember([job])
        except StateLogClosed:
            return
        except TooLargeToKeep as error:
            log.warning("job_not_detached", job_id=job.id, task=job.task_name, error=str(error))
            return
        if job.settling:  # it ended meanwhile, was not remembered, and lets go once its end is durable
            return
        partition.release_offset(job)
        log.info("job_detached", job_id=job.id, task=job.task_name)
