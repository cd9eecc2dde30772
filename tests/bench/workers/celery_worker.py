"""Celery on Redis, started by its own command line.

Its guide on optimizing advises a prefetch of 64 or more for short tasks whose round trip matters.
"""

import orjson
from celery import Celery

from tests.bench.contest import Duty
from tests.bench.tally import Tally

duty = Duty.from_environment()
tally = Tally(duty.tally)
app = Celery("bench", broker=f"redis://127.0.0.1:{duty.redis_port}/0")
app.conf.update(
    task_ignore_result=True, worker_prefetch_multiplier=64, broker_connection_retry_on_startup=True
)


@app.task(name="observe")
def observe(message: str) -> None:
    """Notes how long the message was under way."""
    read = orjson.loads(message)
    tally.arrived(read["number"], read["sent_ns"])
