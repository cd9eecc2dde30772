"""What the README tells a reader to write and to type does what it says."""

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from consumers.context import Context
from consumers.registry import Registry, using
from consumers.verdicts import Retry
from events.broker import LocalBroker
from events.broker.ports import free_port
from events.errors import ToolMissing
from schemas.cloudevent import CloudEvent
from tests.waiting import until_now

HEADRACE = [sys.executable, "-c", "from consumers.cli import main; main()"]
README = (Path(__file__).parents[2] / "README.md").read_text()
CODE, SHOP, MORE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = {
    line.split()[0]: line for line in re.findall(r"^    headrace (.+?)(?: +#.*)?$", README, re.MULTILINE)
}


class Reader:
    """Somebody who does what the README says, in a folder of their own."""

    def __init__(self, folder: Path, bootstrap_servers: str) -> None:
        (folder / "mytasks.py").write_text(CODE)
        (folder / "more.py").write_text(MORE)
        (folder / "shop.py").write_text(SHOP)
        self._folder = folder
        self._environment = {
            **os.environ,
            "HEADRACE_TASK_MODULES": "mytasks,more",
            "HEADRACE_BOOTSTRAP_SERVERS": bootstrap_servers,
            "HEADRACE_PORT": str(free_port()),
        }

    def types(self, command: str, *more: str) -> str:
        words = [*HEADRACE, *shlex.split(command), *more]
        done = subprocess.run(
            words, env=self._environment, cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    @contextmanager
    def in_the_background(self, command: str, *, program: list[str] = HEADRACE) -> Iterator[Path]:
        log = self._folder / f"{command.split()[0]}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*program, *shlex.split(command)],
                env=self._environment,
                cwd=self._folder,
                stdout=file,
                stderr=file,
            )
        try:
            yield log
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    kafka = LocalBroker(data_dir=tmp_path / "broker")
    try:
        kafka.start()
    except ToolMissing as missing:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            raise
        pytest.skip(str(missing))
    yield Reader(tmp_path, kafka.bootstrap_servers)
    kafka.erase()


def test_the_task_and_the_commands_of_the_readme(reader: Reader) -> None:
    def states() -> dict[str, str]:
        listed = json.loads(reader.types(COMMANDS["jobs"], "--json"))
        return {job["task"]: job["state"] for job in listed}

    assert COMMANDS["broker"] == "broker up"  # here there is one already
    reader.types(COMMANDS["topics"])
    assert COMMANDS["worker"] == "worker &"
    with reader.in_the_background("worker") as log:
        reader.types(COMMANDS["publish"])
        done = {"reserve_stock": "completed", "send_receipt": "completed"}
        until_now(lambda: states() == done, within_seconds=90, saying="both jobs completed")
        assert "receipt_sent" in log.read_text()


def test_its_shop_asks_for_jobs(reader: Reader) -> None:
    reader.types(COMMANDS["topics"])
    port = free_port()
    serve = [sys.executable, "-m", "uvicorn", "--port", str(port)]
    with reader.in_the_background("worker"), reader.in_the_background("shop:app", program=serve) as log:
        until_now(
            lambda: "Uvicorn running on" in log.read_text(), within_seconds=60, saying="the shop is open"
        )

        def asked(path: str, *, data: bytes | None = None) -> Any:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data=data, timeout=60) as answer:
                return json.load(answer)

        assert asked("/sums?left=2&right=3") == 5
        job_id = asked("/receipts?to=a@b.example", data=b"")["job_id"]
        state = lambda: json.loads(reader.types("jobs show", job_id, "--json"))["state"]  # noqa: E731
        until_now(lambda: state() == "completed", within_seconds=60, saying="the receipt is sent")


async def test_its_workflow_schedule_and_limits_are_read() -> None:
    names: dict[str, Any] = {"__name__": "more"}
    registry = Registry()
    with using(registry):
        exec(MORE, names)
    assert registry.tasks["crunch"].settings.isolation == "process"
    assert registry.tasks["tidy"].settings.priority == "low"
    assert await names["total"](Context.fake(), [3, 7]) == 10
    (schedule,) = registry.schedules.values()
    assert schedule.task == "tidy"


@pytest.fixture
def mytasks() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "mytasks"}
    with using(Registry()):
        exec(CODE, names)
    return names


async def test_its_tasks_are_plain_functions(mytasks: dict[str, Any]) -> None:
    order = CloudEvent(type="order.placed", source="/shop", data={"id": 17, "email": "a@b.example"})
    ctx = Context.fake(event=order)
    assert await mytasks["reserve_stock"](ctx, order) == {"reservation": "R-17"}
    assert [job.task for job in ctx.enqueued] == ["send_receipt"]


async def test_it_waits_while_nothing_is_left(mytasks: dict[str, Any]) -> None:
    async def sold_out(order: int) -> None:
        return None

    mytasks["reserve"] = sold_out
    order = CloudEvent(type="order.placed", source="/shop", data={"id": 17, "email": "a@b.example"})
    with pytest.raises(Retry, match="nothing left"):
        await mytasks["reserve_stock"](Context.fake(event=order), order)
