"""`headrace jobs` cancels, moves and retries jobs, and shows those no worker took yet."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from consumers.cli import enqueue, jobs
from schemas.job import JobState
from tests.integration.asking import ask, asking, until_state


async def headrace(broker: str, app_id: str, command: click.Command, *arguments: str, code: int = 0) -> Any:
    """What the command prints as JSON."""
    environment = {"HEADRACE_BOOTSTRAP_SERVERS": broker, "HEADRACE_APP_ID": app_id}
    result = await asyncio.to_thread(CliRunner(env=environment).invoke, command, [*arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.output) if result.output.startswith(("{", "[")) else result.output


async def test_jobs_are_steered_from_the_command_line(broker: str, app_id: str, tmp_path: Path) -> None:
    async with asking(broker, app_id, tmp_path) as (worker, queue):
        moved = await ask(queue, "echo", {"defer_by": 3600}, value="moved")
        unwanted = await ask(queue, "echo", {"defer_by": 3600})
        await until_state(unwanted, JobState.SCHEDULED)

        said = await headrace(broker, app_id, jobs.command, "reschedule", moved.job_id, "--in", "0")
        assert said["answer"] == "rescheduled"
        assert await moved.result(timeout=30) == "moved"
        said = await headrace(broker, app_id, jobs.command, "cancel", unwanted.job_id, "--reason", "no")
        assert (said["answer"], said["job_state"]) == ("cancelled", "cancelled")
        said = await headrace(broker, app_id, jobs.command, "cancel", unwanted.job_id, code=1)
        assert said["answer"] == "already_finished"
        said = await headrace(broker, app_id, jobs.command, "retry", unwanted.job_id)
        assert said["answer"] == "redriven"

        waited = await headrace(
            broker, app_id, enqueue.command, "echo", "--args", '{"value": [1]}', "--wait", "30"
        )
        assert waited["result"] == [1]
        failed = await headrace(
            broker, app_id, enqueue.command, "end", "--args", '{"how": "fail"}', "--wait", "30", code=1
        )
        assert "it never works" in failed

        await worker.stop()
        pending = await ask(queue, "echo", value="later")
        listed = await headrace(broker, app_id, jobs.command, "list", "--state", "pending")
        assert [job["job_id"] for job in listed] == [pending.job_id]
        shown = await headrace(broker, app_id, jobs.command, "show", pending.job_id)
        assert (shown["state"], shown["task"]) == ("pending", "echo")
        missing = await headrace(broker, app_id, jobs.command, "cancel", "nobody", code=1)
        assert "no job nobody is known" in missing
