"""Call an API: the answer is the job's result."""

from typing import Any, Literal

from consumers import Context, Exponential, task
from consumers.tasks.equipment import equipment_of
from consumers.tasks.exchange import Call, exchange

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@task(name="call_api", max_tries=6, backoff=Exponential(base=2, cap=300), timeout=60)
async def call_api(
    ctx: Context, method: Method, url: str, json: Any = None, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Call `url`; the Idempotency-Key is the job id, so every attempt of this job is one request to the
    server.

    2xx completes with `{"status", "body"}`; 3xx and 4xx fail; 408, 425, 429 and 5xx are tried again, when
    Retry-After says or else by backoff. Arguments stay in Kafka for days: no secrets in `headers`.
    """
    equipment = equipment_of(ctx)
    call = Call(method=method, url=url, key=ctx.job_id, json=json, headers=headers)
    return await exchange(equipment.http, call, longest_wait_seconds=equipment.settings.longest_wait_seconds)
