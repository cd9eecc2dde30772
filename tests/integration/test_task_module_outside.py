"""A task module of another project, in packages and with a relative import, runs like ours."""

import textwrap
from pathlib import Path

from tests.integration.observing import event, job_of, topic_of
from tests.integration.steering import ledger_of, publish_spread, running
from tests.integration.task_worker import TaskWorker
from tests.waiting import until

TASKS = """
    from consumers import Context, task
    from schemas.cloudevent import CloudEvent

    from .greetings import greeting

    @task(on="visitor.came", topic="{topic}")
    async def greet(ctx: Context, event: CloudEvent) -> str:
        return greeting(event.data["name"])
"""


async def test_tasks_of_another_project_run(broker: str, app_id: str, tmp_path: Path) -> None:
    package = tmp_path / "project" / "hotel" / "reception"
    package.mkdir(parents=True)
    (package / "greetings.py").write_text("def greeting(name):\n    return f'Hello {name}'\n")
    (package / "tasks.py").write_text(textwrap.dedent(TASKS).format(topic=topic_of(app_id)))
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    settings = {
        "HEADRACE_TASK_MODULES": '["hotel.reception.tasks"]',
        "PYTHONPATH": str(tmp_path / "project"),
        "HEADRACE_DEFAULT_PARTITIONS": "1",
    }
    async with running(TaskWorker(broker, app_id, tmp_path, settings)):
        await publish_spread(broker, app_id, [event("visitor.came", "v", name="Ada")])

        async def ran() -> bool:
            return bool(await ledger_of(broker, app_id))

        await until(ran, within_seconds=60)
    (record,) = (await ledger_of(broker, app_id))[job_of("greet", "v")]
    assert record.document["result"] == "Hello Ada"
