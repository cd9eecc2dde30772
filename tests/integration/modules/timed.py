"""A task that is asked for at a certain time; its ledger records tell when it began."""

from consumers import Context, task
from tests.integration.modules.raw_log import note


@task(order="none")
def on_time(ctx: Context, due_ms: int, filling: str = "") -> int:
    note(ctx, "started", due_ms=due_ms)
    return due_ms
