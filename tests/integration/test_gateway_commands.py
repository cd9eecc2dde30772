"""Cancel, move, retry and redrive over HTTP, answered by the worker that owns the job."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from events.status.reader import StatusReader
from events.status.settings import StatusSettings
from tests.integration.gateways import Gateway, gateway
from tests.integration.observing import notes, observing
from tests.waiting import until


@asynccontextmanager
async def _asked(broker: str, app_id: str, folder: Path) -> AsyncIterator[Gateway]:
    settings = StatusSettings(bootstrap_servers=broker, app_id=app_id, status_dir=folder / "status")
    # The reader is entered here, where its folder belongs; the application would do it itself.
    async with (
        observing(broker, app_id, folder, "asked"),
        StatusReader(settings) as status,
        gateway(broker, app_id, status=_Entered(status), gateway_answer_seconds=20.0) as running,
    ):
        yield running


class _Entered:
    """A reader somebody else enters and leaves."""

    def __init__(self, reader: StatusReader) -> None:
        self.locate = reader.locate
        self.answer = reader.answer
        self.schedules = reader.schedules
        self._reader = reader

    @property
    def ready(self) -> bool:
        return self._reader.ready

    @property
    def lag_seconds(self) -> float | None:
        return self._reader.lag_seconds


async def test_commands_are_answered(broker: str, app_id: str, tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    async with _asked(broker, app_id, tmp_path) as running:

        async def enqueue(task: str, id: str, args: dict[str, Any], **options: Any) -> None:
            body = {"task": task, "args": args, "options": {"job_id": id, **options}}
            answer = await running.client.post("/jobs", json=body)
            assert answer.status_code == 202, answer.text

        async def ask(path: str, body: object = None, key: str = "") -> tuple[int, dict[str, Any]]:
            headers = {"Idempotency-Key": key} if key else {}
            answer = await running.client.post(path, json=body, headers=headers, timeout=60)
            found: dict[str, Any] = answer.json()
            return answer.status_code, found

        await enqueue("wait", "runs", {"gate": str(tmp_path / "never")})
        await enqueue("echo", "later", {"value": 1}, defer_by=3600)
        await enqueue("echo", "moved", {"value": 2}, defer_by=3600)
        await enqueue("end", "bad", {"how": "fail", "mended": str(mended)})
        await until(lambda: any(note.job_id == "runs" for note in notes(tmp_path, "started")))

        status, said = await ask("/jobs/runs/cancel", {"reason": "not wanted"}, key="once")
        assert (status, said["answer"]) == (200, "cancelling")
        again = await ask("/jobs/runs/cancel", {"reason": "not wanted"}, key="once")
        assert again == (200, said), "the same command has the same answer"

        async def cancelled() -> bool:
            status, said = await ask("/jobs/runs/cancel")
            return (status, said.get("job_state")) == (409, "cancelled")

        await until(cancelled, saying="it ended as cancelled, and says so")
        assert (await ask("/jobs/later/cancel"))[1]["answer"] == "cancelled"
        status, said = await ask("/jobs/moved/reschedule", {"defer_by": 0})
        assert (status, said["answer"]) == (200, "rescheduled")
        await until(lambda: any(note.job_id == "moved" for note in notes(tmp_path, "started")))
        status, said = await ask("/jobs/moved/reschedule", {"defer_by": 0, "run_at": "2030-01-01T00:00:00Z"})
        assert (status, said["type"]) == (422, "/problems/invalid-request")
        status, said = await ask("/jobs/nobody/cancel")
        assert (status, said["type"]) == (404, "/problems/unknown-job")

        mended.touch()
        status, said = await ask("/jobs/bad/retry")
        assert (status, said["answer"]) == (200, "redriven")

        async def finished() -> bool:
            status, said = await ask("/jobs/bad/retry")
            return (status, said.get("job_state")) == (409, "completed")

        await until(finished, saying="it ran again and completed")
        status, said = await ask("/dead-letters/jobs:0:0/redrive")
        assert (status, said["type"]) == (409, "/problems/not-failed")
        status, said = await ask("/dead-letters/jobs:0:99/redrive")
        assert (status, said["type"]) == (404, "/problems/unknown-dead-letter")
        status, said = await ask("/schedules/none/pause")
        assert (status, said["type"]) == (404, "/problems/unknown-schedule")
