"""`headrace dlq redrive` runs a dead job once more, however often it is asked; the letter stays."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from consumers.cli import dlq, jobs
from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from events.settings import ClientSettings
from events.topics import JOBS, commands_topic
from tests.integration.observing import (
    committed,
    event,
    events_state,
    job_of,
    jobs_state,
    notes,
    observing,
    publish,
    topic_of,
)
from tests.waiting import until

ASKED = 3


async def test_redriven_jobs_run_once(broker: str, app_id: str, tmp_path: Path) -> None:
    mended, job = tmp_path / "mended", job_of("broken", "broken")

    async def letters() -> bool:
        events, plain = await events_state(broker, app_id), await jobs_state(broker, app_id)
        return (events.letters.keys(), plain.letters.keys()) == ({job, ""}, {"plain"})

    async with observing(broker, app_id, tmp_path, "mendable", MENDED=mended):
        strange = event("mend.strict", "strict", size="many")
        await publish(broker, topic_of(app_id), event("mend.event", "broken"), strange)
        async with JobQueue(ClientSettings(bootstrap_servers=broker, app_id=app_id)) as queue:
            await queue.request("plain", {"what": "kept"}, EnqueueOptions(job_id="plain"))
        await until(letters, within_seconds=90, saying="all are set aside")
    mended.touch()

    async def completed() -> bool:
        await asyncio.sleep(0.2)
        events, plain = await events_state(broker, app_id), await jobs_state(broker, app_id)
        ended = [
            events.finished.get(job_of("strict", "strict")),
            events.finished[job],
            plain.finished["plain"],
        ]
        return [len(records or ()) for records in ended] == [1, 2, 2]

    async def all_commands_settled() -> bool:
        offsets = {place.topic: offset for place, offset in (await committed(broker, app_id)).items()}
        wanted = {
            commands_topic(app_id, topic_of(app_id)): 2 * ASKED,
            commands_topic(app_id, JOBS): ASKED,
        }
        return wanted.items() <= offsets.items()

    (letter,) = [
        each for each in await headrace(broker, app_id, dlq.command, "list") if each["reason"] == "invalid"
    ]
    place = (letter["topic"], str(letter["partition"]), str(letter["offset"]))
    # The worker that takes the commands is another one, with another disk and a mended module.
    (tmp_path / "second").mkdir()
    shared = {"MENDED": mended, "RAW_LOG": tmp_path / "raw.log"}
    async with observing(broker, app_id, tmp_path / "second", "mendable", **shared):
        for _ in range(ASKED):
            for named in ((job,), ("plain",), place):
                await headrace(broker, app_id, dlq.command, "redrive", *named)
        await until(completed, within_seconds=60)
        await until(all_commands_settled, within_seconds=60)
    assert len(_ran(tmp_path, "broken")) == 3
    assert [note.attempt for note in _ran(tmp_path, "broken")] == [1, 2, 1], "it gets its tries anew"
    assert [note.facts["argument"] for note in notes(tmp_path, task="plain")] == ["kept"] * 2
    assert [note.facts["size"] for note in notes(tmp_path, task="strict")] == ["many"]
    state = await events_state(broker, app_id)
    assert [record.document["state"] for record in state.finished[job]] == ["failed", "completed"]
    assert len(state.letter_records) == 2
    (shown,) = [
        each for each in await headrace(broker, app_id, jobs.command, "list") if each["job_id"] == job
    ]
    assert (shown["state"], shown["result"]) == ("completed", "mended")


def _ran(folder: Path, event_id: str) -> list[Any]:
    return [note for note in notes(folder, "started") if note.event_id == event_id]


async def headrace(broker: str, app_id: str, command: click.Command, *arguments: str) -> Any:
    """What the command prints as JSON."""
    environment = {"HEADRACE_BOOTSTRAP_SERVERS": broker, "HEADRACE_APP_ID": app_id}
    runner = CliRunner(env=environment)
    result = await asyncio.to_thread(runner.invoke, command, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)
