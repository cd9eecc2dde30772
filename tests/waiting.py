"""Waiting for facts, with a bound: the only way a test waits."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

POLL_SECONDS = 0.05

T = TypeVar("T")


async def until(
    fact: Callable[[], T | Awaitable[T]], *, within_seconds: float = 30, saying: str | None = None
) -> T:
    """Poll the fact, plain or async, until it is true, and return what it said.

    An AssertionError in the fact counts as not yet; the last one is the reason when the bound passes.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        reason: AssertionError | None = None
        said: T | None = None
        try:
            asked = fact()
            said = await asked if inspect.isawaitable(asked) else asked  # type: ignore[assignment]
        except AssertionError as error:
            reason = error
        if said:
            return said
        if time.monotonic() > deadline:
            raise AssertionError(_late(fact, said, saying, within_seconds)) from reason
        await asyncio.sleep(POLL_SECONDS)


def until_now(fact: Callable[[], T], *, within_seconds: float = 30, saying: str | None = None) -> T:
    """The same for tests without a loop."""
    deadline = time.monotonic() + within_seconds
    while True:
        reason: AssertionError | None = None
        said: T | None = None
        try:
            said = fact()
        except AssertionError as error:
            reason = error
        if said:
            return said
        if time.monotonic() > deadline:
            raise AssertionError(_late(fact, said, saying, within_seconds)) from reason
        time.sleep(POLL_SECONDS)


def _late(fact: Callable[[], object], said: object, saying: str | None, within_seconds: float) -> str:
    name = saying or getattr(fact, "__qualname__", repr(fact))
    return f"Not within {within_seconds} s: {name} (last: {said!r})"
