"""Tasks in child processes that end in every way; gates are files."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from consumers import Context, on_shutdown, on_startup, task
from tests.integration.modules.raw_log import note, note_of_worker

hoard: list[bytearray] = []


@on_startup
def begin(state: dict[str, Any]) -> None:
    state["began_in"] = os.getpid()


@on_shutdown
def finish(state: dict[str, Any]) -> None:
    note_of_worker("shut_down", task="", job_id="", attempt=0, event_id="")


@task(isolation="process", order="none")
def echo(ctx: Context, value: Any = None) -> dict[str, Any]:
    note(ctx, "started")
    return {"value": value, "began_here": ctx.state["began_in"] == os.getpid()}


@task(isolation="process", max_tries=2, order="none")
def crash(ctx: Context, how: str) -> None:
    note(ctx, "started")
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "exit":
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


@task(isolation="process", max_tries=2, order="none", memory_limit="200MB")
def grow(ctx: Context) -> None:
    note(ctx, "started")
    hoard.append(bytearray(1 << 30))


@task(isolation="process", timeout=0.5, max_tries=1, order="none")
def hang(ctx: Context, deaf: bool) -> None:
    note(ctx, "started")
    while True:
        try:
            time.sleep(60)
        except Exception as error:
            note(ctx, "asked", error=type(error).__name__)
            if not deaf:
                raise


@task(isolation="process", order="none")
def wait(ctx: Context, gate: str, deaf: bool = False, child: bool = False) -> str:
    if child:
        note(ctx, "grandchild", grandchild=subprocess.Popen(["sleep", "600"]).pid)
    ctx.progress(1, 2, "waiting")
    note(ctx, "started")
    while not Path(gate).exists():
        try:
            time.sleep(0.02)
        except Exception:
            if not deaf:
                raise
    return "through"


@task(isolation="process", max_tries=2, order="none")
def once(ctx: Context) -> list[Any]:
    """Dies after its step was kept."""
    value = ctx.step("effect", _effect, ctx)
    if ctx.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    ctx.enqueue(echo, value="sent")
    return [value, ctx.attempt]


def _effect(ctx: Context) -> int:
    note(ctx, "effect")
    return ctx.attempt
