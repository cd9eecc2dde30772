"""The image, built for real: set up and confined as the chart does it, it works and stops when asked."""

import asyncio
import datetime as dt
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from events.broker import LocalBroker
from events.broker.ports import free_port
from events.publisher import Publisher
from events.settings import ClientSettings
from schemas.flights import FlightDeparted
from tests.acceptance.image import containers
from tests.acceptance.image.containers import Container
from tests.helm.chart import environment, installed_chart
from tests.waiting import until_now

FLIGHTS = 20
NOON = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)
STOP_SECONDS = 45


@pytest.fixture(scope="module")
def image() -> str:
    """HEADRACE_TEST_IMAGE, or one built now from the Dockerfile."""
    reason = containers.missing()
    if reason:
        pytest.skip(reason)
    return os.environ.get(containers.IMAGE_VARIABLE) or containers.build("localhost/headrace:test")


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[str]:
    local = LocalBroker(data_dir=tmp_path / "broker")
    yield local.start().bootstrap_servers
    local.erase()


def test_the_root_is_read_only_and_the_user_nobody(image: str) -> None:
    script = (
        "import os, pathlib\n"
        "print(os.getuid())\n"
        "for folder in (os.environ['HEADRACE_STATE_DIR'], os.environ['HEADRACE_TASKS_DATA_DIR'], '/tmp'):\n"
        "    pathlib.Path(folder, 'probe').touch()\n"
        "try:\n"
        "    pathlib.Path('/opt/headrace/probe').touch()\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    shown = containers.run(image, "-c", script, options=("--entrypoint=python",))
    assert shown.splitlines() == ["10001", "Read-only file system"]


def test_topics_then_a_worker_that_does_the_jobs(image: str, kafka: str) -> None:
    port = free_port()
    settings = _as_the_chart_sets_them(kafka, port)
    containers.run(image, "topics", "apply", options=containers.variables(settings))
    worker = Container(image, ("worker",), settings)
    worker.start()
    try:
        until_now(lambda: _answers(port, "/health/ready"), within_seconds=90, saying="ready")
        asyncio.run(_publish(kafka, settings["HEADRACE_APP_ID"]))
        until_now(lambda: _completed(port, "count_flight") >= FLIGHTS, within_seconds=60, saying="jobs done")
        assert worker.stop(within_seconds=STOP_SECONDS) == 0, worker.log()
    except AssertionError as failed:
        failed.add_note(worker.log()[-6000:])
        raise
    finally:
        worker.remove()


def _as_the_chart_sets_them(kafka: str, port: int) -> dict[str, str]:
    values = {"kafka": {"bootstrapServers": kafka}, "worker": {"port": port}}
    found = environment(installed_chart().render(values).worker)
    return found | {"HEADRACE_INSTANCE_ID": "jobs-headrace-worker-0"}


async def _publish(kafka: str, app_id: str) -> None:
    flights = [
        FlightDeparted(
            carrier="UA", flight=number, tail_number=f"N{number}", origin="EWR", dest="IAH", day=NOON.date(),
            scheduled_departure_at=NOON, departed_at=NOON, departure_delay_minutes=0,
        )
        for number in range(FLIGHTS)
    ]  # fmt: skip
    async with Publisher(ClientSettings(bootstrap_servers=kafka, app_id=app_id)) as publisher:
        await publisher.publish_many(flights)


def _answers(port: int, path: str) -> str:
    """The body, or nothing yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def _completed(port: int, task: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(_answers(port, "/metrics"))
        for sample in family.samples
        if sample.name == "headrace_jobs_finished_total"
        and (sample.labels["task"], sample.labels["outcome"]) == (task, "completed")
    )
