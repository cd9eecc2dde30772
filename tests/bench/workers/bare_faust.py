"""Faust as its documentation shows it: one agent, one event at a time, acked whatever came of it."""

import tempfile

import faust

from tests.bench.contest import MAX_JOBS, Duty, Row
from tests.bench.work import work_for

duty = Duty.from_environment()
work = work_for(duty)

app = faust.App(
    duty.group,
    broker=f"kafka://{duty.bootstrap_servers}",
    store="memory://",
    datadir=tempfile.mkdtemp(prefix="headrace-bench-faust-"),
    web_enabled=False,
    topic_disable_leader=True,
    stream_wait_empty=False,
    stream_buffer_maxsize=50_000,
    broker_max_poll_records=2_000,
    consumer_auto_offset_reset="earliest",
)
topic = app.topic(duty.topic, key_serializer="raw", value_serializer="raw", value_type=bytes)


@app.agent(topic, concurrency=MAX_JOBS if duty.row is Row.IO else 1)
async def observe(stream: faust.StreamT[bytes]) -> None:
    async for value in stream:
        await work(value)


if __name__ == "__main__":
    app.main()
