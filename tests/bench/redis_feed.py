"""Jobs put into Redis for ARQ and Celery, in their own formats."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis
from arq.connections import RedisSettings, create_pool
from arq.constants import default_queue_name, job_key_prefix
from arq.jobs import serialize_job

from tests.bench.contest import Duty
from tests.bench.events import message

EXPIRES_MS = 24 * 3600 * 1000
PIPELINE_JOBS = 1_000


def preload_arq(client: "redis.Redis", jobs: int) -> None:
    """What `enqueue_job` writes, a thousand jobs a round trip."""
    for first in range(0, jobs, PIPELINE_JOBS):
        now_ms = int(time.time() * 1000)
        with client.pipeline(transaction=False) as pipeline:
            for number in range(first, min(first + PIPELINE_JOBS, jobs)):
                job_id = uuid.uuid4().hex
                job = serialize_job("observe", (message(number),), {}, None, now_ms)
                pipeline.psetex(job_key_prefix + job_id, EXPIRES_MS, job)
                pipeline.zadd(default_queue_name, {job_id: now_ms})
            pipeline.execute()


@asynccontextmanager
async def arq_publisher(duty: Duty) -> AsyncIterator[Any]:
    """`publish(number)` through ARQ's own client."""
    pool = await create_pool(RedisSettings(host="127.0.0.1", port=int(duty.redis_port)))

    async def publish(number: int) -> None:
        await pool.enqueue_job("observe", message(number))

    try:
        yield publish
    finally:
        await pool.aclose()


@asynccontextmanager
async def celery_publisher(duty: Duty) -> AsyncIterator[Any]:
    """`publish(number)` through Celery's own client; it blocks, so it has a thread."""
    from celery import Celery

    app = Celery("bench", broker=f"redis://127.0.0.1:{duty.redis_port}/0")
    app.conf.update(task_ignore_result=True)
    observe = app.signature("observe", app=app)

    async def publish(number: int) -> None:
        await asyncio.to_thread(_delay, observe, number)

    try:
        yield publish
    finally:
        app.close()


def _delay(observe: Any, number: int) -> None:
    observe.clone(args=(message(number).decode(),)).apply_async()
