from typing import Any

import pytest
from click.testing import CliRunner

from consumers.cli.enqueue import command
from events.handle import JobHandle
from events.queue import JobQueue
from events.queue_options import EnqueueOptions
from schemas.state import Position

Asked = list[tuple[str, dict[str, Any], EnqueueOptions]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What would have been enqueued."""
    requests: Asked = []

    async def nothing(self: JobQueue, *error: object) -> JobQueue:
        return self

    async def request(self: JobQueue, task: str, args: dict[str, Any], options: EnqueueOptions) -> JobHandle:
        requests.append((task, args, options))
        return JobHandle("j", Position("headrace.jobs", 1, 2))

    monkeypatch.setattr(JobQueue, "__aenter__", nothing)
    monkeypatch.setattr(JobQueue, "__aexit__", nothing)
    monkeypatch.setattr(JobQueue, "request", request)
    return requests


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments))
    return result.exit_code, result.output


def test_prints_the_job_id(asked: Asked) -> None:
    assert run("send_email", "--args", '{"to": "a"}') == (0, "j\n")
    assert asked == [("send_email", {"to": "a"}, EnqueueOptions())]


def test_options_are_those_of_the_queue(asked: Asked) -> None:
    run("t", "--defer-by", "5", "--priority", "high", "--deadline", "60", "--idempotency-key", '["a",1]')
    expected = EnqueueOptions(defer_by=5, priority="high", deadline=60, idempotency_key=["a", 1])
    assert asked[0][2] == expected
    run("t", "--idempotency-key", "order-17")
    assert asked[1][2].idempotency_key == "order-17"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("t", "--args", "[]"), "wanted a JSON object"),
        (("t", "--args", "{"), "not JSON"),
        (("t", "--job-id", "a", "--idempotency-key", "b"), "exclude each other"),
        (("t", "--job-id", "x" * 129), "1 to 128 characters"),
        (("t", "--priority", "urgent"), "urgent"),
    ],
)
def test_wrong_use_is_told(asked: Asked, arguments: tuple[str, ...], message: str) -> None:
    code, output = run(*arguments)
    assert code == 2
    assert message in output
    assert not asked


def test_when_it_runs(asked: Asked) -> None:
    run("t", "--in", "2h30m")
    run("t", "--at", "2030-01-01T09:00:00Z")
    assert asked[0][2].defer_by == 9000
    assert str(asked[1][2].run_at) == "2030-01-01 09:00:00+00:00"
    assert "exclude each other" in run("t", "--in", "5", "--at", "2030-01-01T09:00:00Z")[1]
