"""The whole play: a crew, a stream, a storm, an outside eye on the commits, and the account in the end."""

import asyncio
import datetime as dt
import random
import time
import uuid
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from consumers.demo.dataset import read_flights
from events.log_reader import LogReader
from events.settings import ClientSettings
from events.topics import jobs_topic
from tests.acceptance.chaos.account import Account
from tests.acceptance.chaos.commits import CommitSampler
from tests.acceptance.chaos.crew import CrewMember
from tests.acceptance.chaos.evidence import Evidence, evidence_of
from tests.acceptance.chaos.publishing import TOPIC, Stream, events_in_order
from tests.acceptance.chaos.raw_log import lines_of
from tests.acceptance.chaos.runs import runs_of
from tests.acceptance.chaos.storm import Storm, plan_of
from tests.acceptance.chaos.work import DELAYS, JOBS
from tests.waiting import until

FIRST_DAY = dt.date(2013, 1, 1)
FAULT_SECONDS = 7.0  # what one takes, by experience: the stream is to last as long as the storm
WORK_BETWEEN_FAULTS = 0.75  # attempts for each event that comes from one fault to the next
FLIGHTS_PER_EVENT = 0.8  # twice what is needed, should the storm last longer
SETTLING_SECONDS = 300.0
SHOWN = 20  # of what was found


class Scene:
    """One run of it."""

    def __init__(self, bootstrap_servers: str, folder: Path, *, seed: int) -> None:
        self._servers = bootstrap_servers
        self._seed = seed
        self._app_id = f"chaos{uuid.uuid4().hex[:6]}"
        self._folder = folder
        self._began = time.monotonic()
        self._raw_logs = folder / "raw"
        self._raw_logs.mkdir()
        self._inputs = {TOPIC: (TOPIC,), DELAYS: (DELAYS,), JOBS: (jobs_topic(self._app_id),)}
        self._crew = [
            CrewMember(name, bootstrap_servers, self._app_id, folder, static=name == "static")
            for name in ("ada", "bob", "static")
        ]
        self._sampler = CommitSampler(bootstrap_servers, self._app_id)

    async def play(self, events: int, faults: int) -> tuple[Account, Storm]:
        self._say(f"seed {self._seed}: {events} events, {faults} faults")
        dice = random.Random(self._seed)
        storm = Storm(
            crew=self._crew,
            plan=plan_of(faults, dice),
            progress=int(events / faults * WORK_BETWEEN_FAULTS),
            dice=dice,
            say=self._say,
        )
        sampling = asyncio.create_task(self._sampler.run())
        try:
            flights, *_ = await asyncio.gather(
                asyncio.to_thread(read_flights, FIRST_DAY, int(events * FLIGHTS_PER_EVENT)),
                self._start_crew(),
            )
            async with AIOKafkaProducer(
                bootstrap_servers=self._servers, acks="all", enable_idempotence=True, linger_ms=20
            ) as producer:
                stream = Stream(
                    producer=producer,
                    events=events_in_order(flights),
                    count=events,
                    per_second=events / (faults * FAULT_SECONDS),
                    enough=lambda: storm.over,
                    dice=dice,
                )
                await self._both(stream.run(), storm.run())
            self._say(f"published {len(stream.published.events)} events, {stream.published.records} records")
            evidence = await self._settled()
            await self._stop_crew()
            await self._sampler.look()
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, self._end_crew(), return_exceptions=True)
        return self._account(stream, evidence), storm

    async def _both(self, *works: Awaitable[Any]) -> None:
        """Both to their end, or the failure of one is that of all."""
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)  # type: ignore[arg-type]

    async def _start_crew(self) -> None:
        await create_topics(self._servers, {TOPIC: 6, DELAYS: 3})
        await asyncio.gather(*(member.launch() for member in self._crew))
        for member in self._crew:
            await until(member.worker.ready, within_seconds=90, saying=f"{member.name} is ready")
        self._say("the crew is ready")

    async def _stop_crew(self) -> None:
        for member in self._crew:
            member.out = True
            member.tell_to_stop()
        await asyncio.gather(*(member.stopped() for member in self._crew))

    async def _end_crew(self) -> None:
        for member in self._crew:
            process = member.worker.process
            if process is not None and process.returncode is None:
                await member.worker.kill()

    # -- the end

    async def _settled(self) -> dict[str, Evidence]:
        """What the topics hold once everything is committed and nothing is parked, or the patience ends."""
        try:
            await until(self._all_committed, within_seconds=SETTLING_SECONDS, saying="all is committed")
            self._say("all is committed")
        except AssertionError as late:
            self._say(str(late))
        deadline = time.monotonic() + SETTLING_SECONDS
        while any(each.unfinished() for each in (await self._read()).values()):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(1)
        self._say("all is settled")
        # Once more: topics are read one after the other, so what ended between two was seen halfway.
        return await self._read()

    async def _all_committed(self) -> bool:
        for member in self._crew:
            died = member.died()
            if died:
                raise RuntimeError(died)
        async with AIOKafkaConsumer(bootstrap_servers=self._servers) as consumer:
            places = [
                TopicPartition(topic, number)
                for topics in self._inputs.values()
                for topic in topics
                for number in consumer.partitions_for_topic(topic) or await self._partitions(consumer, topic)
            ]
            ends = await consumer.end_offsets(places)
        await asyncio.sleep(0.5)
        behind = {place: (self._sampler.newest.get(place, 0), end) for place, end in ends.items()}
        behind = {place: each for place, each in behind.items() if each[0] < each[1]}
        assert not behind, str(behind)
        return True

    @staticmethod
    async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
        cluster = await consumer._client.fetch_all_metadata()
        return set(cluster.partitions_for_topic(topic) or ())

    async def _read(self) -> dict[str, Evidence]:
        async with LogReader(ClientSettings(bootstrap_servers=self._servers, app_id=self._app_id)) as reader:
            return {
                source: await evidence_of(reader, self._app_id, source, inputs)
                for source, inputs in self._inputs.items()
            }

    def _account(self, stream: Stream, evidence: dict[str, Evidence]) -> Account:
        account = Account(
            published=stream.published,
            runs=runs_of(lines_of(self._raw_logs)),
            evidence=evidence,
            lives={life.name: life for member in self._crew for life in member.lives},
            samples=self._sampler.samples,
        )
        account.close()
        return account

    def summary(self, account: Account, storm: Storm, seconds: float) -> str:
        lines = {
            "seed": self._seed,
            "events": f"{len(account.published.events)} in {account.published.records} records",
            "faults in flight": f"{dict(storm.hits)}, empty disks {storm.empty_disks}",
            "jobs": f"{account.jobs} in {account.runs.count} attempts",
            "lost": len(account.lost),
            "repeats": f"{sum(account.causes.values())} {dict(account.causes)}",
            "effects repeated": f"{sum(account.effects.values())} {dict(account.effects)}",
            "wrong": len(account.wrong),
            "commits": f"{len(account.samples)} samples, {len(account.early)} too early",
            "writes of former owners ignored": sum(each.foreign for each in account.evidence.values()),
            "duration": f"{seconds:.0f} s",
        }
        found = [*account.lost[:SHOWN], *account.wrong[:SHOWN], *account.early[:SHOWN]]
        return "\n".join(["", *(f"  {name}: {value}" for name, value in lines.items()), *found])

    def _say(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:7.1f} s  {what}", flush=True)


async def create_topics(bootstrap_servers: str, partitions: dict[str, int]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, count, 1) for name, count in partitions.items()])
    finally:
        await admin.close()
