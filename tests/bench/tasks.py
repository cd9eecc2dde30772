"""The task module the Headrace worker loads."""

from typing import Any

from consumers import Context, task
from tests.bench.contest import Duty
from tests.bench.work import work_for

_DUTY = Duty.from_environment()
_work = work_for(_DUTY)


@task(on="bench.happened", topic=_DUTY.topic)
async def observe(ctx: Context, event: Any) -> None:
    """One job: what the row asks for."""
    await _work(event.raw_data)
