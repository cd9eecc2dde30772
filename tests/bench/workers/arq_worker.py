"""ARQ: jobs in Redis, retried on request. `keep_result` 0 spares it the write of a result nobody reads."""

from typing import Any

import uvloop
from arq.connections import RedisSettings
from arq.worker import Worker, func

from tests.bench.contest import MAX_JOBS, Duty
from tests.bench.work import work_for

POLL_DELAY_SECONDS = 0.01


async def main() -> None:
    duty = Duty.from_environment()
    work = work_for(duty)

    async def observe(ctx: dict[Any, Any], message: bytes) -> None:
        await work(message)

    worker = Worker(
        [func(observe, name="observe")],
        redis_settings=RedisSettings(host="127.0.0.1", port=int(duty.redis_port)),
        max_jobs=MAX_JOBS,
        poll_delay=POLL_DELAY_SECONDS,
        keep_result=0,
        handle_signals=False,
    )
    await worker.async_run()


if __name__ == "__main__":
    uvloop.run(main())
