"""What a step gets from those before it, where that did not travel with its request."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka import TopicPartition

from consumers.engine.job import Job
from consumers.settings import WorkerSettings
from consumers.verdicts import Fail
from consumers.workflows.join import members
from events.connecting import reading
from events.topics import ledger_topic
from schemas.state import decode_state
from schemas.workflow import Json

READ_SECONDS: Final = 30.0
READERS: Final = 4
Place = tuple[str, int]  # source, partition


class Inputs:
    """Fetches results for the steps of a worker: from the join beside them, or from the ledger."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._turn = asyncio.Semaphore(READERS)

    async def fill(self, job: Job) -> None:
        """Give the job its first free argument.

        Raises `Fail` when a result is gone for good, `TimeoutError` when it is not to be had now.
        """
        assert job.task is not None
        assert job.input is not None
        value = await self._value(job, job.input)
        job.args = job.task.parse_args(job.task.with_input(job.args, value))
        job.input = None

    async def _value(self, job: Job, input: Json) -> Any:
        if "join" not in input:
            return (await self._resolve([input]))[0]
        assert job.partition is not None
        db = job.partition.retry.db
        assert db is not None
        found = members(db, input["join"])
        if len(found) != input["of"]:
            raise Fail(f"the results of the group are gone: {len(found)} of {input['of']} are left")
        return await self._resolve([each.get("input") or {"value": None} for each in found])

    async def _resolve(self, inputs: list[Json]) -> list[Any]:
        wanted: dict[Place, dict[str, int]] = {}
        for each in inputs:
            if "result" in each:
                place = each["result"]
                ids = wanted.setdefault((place["source"], place["partition"]), {})
                ids[place["job_id"]] = place["offset"]
        results: dict[str, Any] = {}
        for (source, partition), ids in wanted.items():
            async with self._turn:
                results |= await self._read(source, partition, ids)
        return [results[each["result"]["job_id"]] if "result" in each else each["value"] for each in inputs]

    async def _read(self, source: str, partition: int, wanted: Mapping[str, int]) -> dict[str, Any]:
        """The results of these jobs, read from the ledger from the first offset on, where any may be."""
        place = TopicPartition(ledger_topic(self._settings.app_id, source), partition)
        found: dict[str, Any] = {}
        async with asyncio.timeout(READ_SECONDS):
            async with reading(self._settings, "results", fetch_max_wait_ms=100) as consumer:
                consumer.assign([place])
                consumer.seek(place, min(wanted.values()))
                while len(found) < len(wanted):
                    batches = await consumer.getmany(place, timeout_ms=200)
                    for record in batches.get(place, ()):
                        id = (record.key or b"").decode(errors="replace")
                        if id in wanted and record.value is not None:
                            document = decode_state(record.value).document
                            if "result" in document:
                                found[id] = document["result"]
        return found
