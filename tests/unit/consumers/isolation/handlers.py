"""Tasks that run in child processes and do there what their arguments say."""

import os
import signal
import time
from typing import Any

from consumers import Context, Retry, on_startup, task
from tests.unit.consumers.isolation.awkward import Awkward

taken: list[Any] = []


@on_startup
async def prepare(state: dict[str, Any]) -> None:
    state["prepared"] = state.get("prepared", 0) + 1


@task(isolation="process")
def tell(ctx: Context, value: Any = None) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "job_id": ctx.job_id,
        "attempt": ctx.attempt,
        "event": ctx.event.id,
        "key": ctx.key,
        "prepared": ctx.state["prepared"],
        "value": value,
    }


@task(isolation="process", max_tries=2, fail_on=(KeyError,))
def end(ctx: Context, how: str) -> Any:
    match how:
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(10)
        case "exit":
            os._exit(0)
        case "sys.exit":
            raise SystemExit(3)
        case "awkward":
            raise Awkward("no good", "because")
        case "local":

            class Local(KeyError):
                pass

            raise Local("nobody can import it")
        case "stop iteration":
            raise StopIteration("odd")
        case "retry":
            raise Retry("later", defer=7)
        case "no json":
            return lambda: None
        case "memory":
            return len(bytearray(1 << 31))
    return how


@task(isolation="process", memory_limit="300MB", max_tries=2)
def grow(ctx: Context, megabytes: int) -> int:
    taken.append(bytearray(megabytes << 20))
    return os.getpid()


@task(isolation="process", timeout=0.3)
def hang(ctx: Context, deaf: bool = False, swallows: bool = False) -> str:
    while True:
        try:
            time.sleep(30)
        except Exception:
            if swallows:
                return f"swallowed {ctx.cancelled}"
            if not deaf:
                raise


@task(isolation="process")
def send(ctx: Context) -> list[str]:
    ctx.progress(1, 2, "half")
    first = ctx.step("first", lambda: {"one": 1})
    second = ctx.step("second", _later, 2)
    return [ctx.enqueue("tell", value=3).value, ctx.enqueue("tell", value=4).value, first, second]


async def _later(number: int) -> int:
    return number
