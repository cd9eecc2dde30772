"""`headrace schedules` and `headrace workers` tell what is there, and do what is asked."""

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson

from tests.integration.observing import notes
from tests.integration.scheduling import lines, scheduling, ticks
from tests.integration.task_worker import HEADRACE
from tests.waiting import until

SCHEDULES = {
    "nightly": {"hour": 3, "minute": 30, "timezone": "Europe/Berlin"},
    "often": {"every": 1},
}


async def headrace(broker: str, app_id: str, *arguments: str) -> Any:
    """What a command prints as JSON."""
    environment = {**os.environ, "HEADRACE_BOOTSTRAP_SERVERS": broker, "HEADRACE_APP_ID": app_id}
    process = await asyncio.create_subprocess_exec(
        *HEADRACE, *arguments, "--json", env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return orjson.loads(output)


async def test_list_next_pause_run_and_workers(broker: str, app_id: str, tmp_path: Path) -> None:
    async with scheduling(broker, app_id, tmp_path, SCHEDULES, release="7", worker_name="w1"):
        await until(lambda: len(lines(tmp_path, "schedule_added")) == 2 and ticks(tmp_path, "often"))
        nightly, often = await headrace(broker, app_id, "schedules", "list")
        assert (nightly["schedule"], nightly["state"], nightly["release"]) == ("nightly", "active", "7")
        assert (often["last_outcome"]["outcome"], often["every_seconds"]) == ("fired", 1)
        times = await headrace(broker, app_id, "schedules", "next", "nightly", "--count", "2")
        assert times[0] == nightly["next_ms"]
        assert (await headrace(broker, app_id, "schedules", "pause", "often"))["answer"] == "paused"
        shown = await headrace(broker, app_id, "schedules", "show", "often")
        assert (shown["state"], shown["next_ms"]) == ("paused", None)
        started = await headrace(broker, app_id, "schedules", "run", "nightly")
        (noted,) = await until(lambda: [note for note in notes(tmp_path) if note.facts["name"] == "nightly"])
        assert noted.job_id == started["job_id"]
        assert (await headrace(broker, app_id, "schedules", "resume", "often"))["answer"] == "resumed"

        async def beats() -> Any:
            return [each for each in await headrace(broker, app_id, "workers") if each["state"] == "ready"]

        (worker,) = await until(beats)
        assert (worker["worker"], worker["release"], worker["tasks"]) == ("w1", "7", ["slow", "tick"])
        assert worker["partitions"] == {"jobs": [0]}
    assert await headrace(broker, app_id, "workers") == []
    (stopped,) = await headrace(broker, app_id, "workers", "--all")
    assert stopped["state"] == "stopped"
