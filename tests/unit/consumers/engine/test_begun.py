"""What never waits is done at once; what waits goes on as if it had been awaited from the start."""

import asyncio

import pytest

from consumers.engine.begun import begin


async def test_what_need_not_wait_is_done_at_once() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    assert begin(queue.put(1)) is None
    assert queue.get_nowait() == 1


async def test_what_waits_goes_on_where_it_stood() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    queue.put_nowait(1)
    rest = begin(queue.put(2))
    assert rest is not None
    going_on = asyncio.ensure_future(rest)
    assert await queue.get() == 1
    await going_on
    assert queue.get_nowait() == 2


async def test_it_may_wait_more_than_once_and_returns_what_it_returns() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def both() -> str:
        await first.wait()
        await asyncio.sleep(0)
        await second.wait()
        return "both"

    rest = begin(both())
    assert rest is not None
    going_on = asyncio.ensure_future(rest)
    first.set()
    second.set()
    assert await going_on == "both"


async def test_a_cancellation_reaches_what_waits() -> None:
    cleaned_up = False

    async def wait_for_ever() -> None:
        nonlocal cleaned_up
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up = True

    rest = begin(wait_for_ever())
    assert rest is not None
    going_on = asyncio.ensure_future(rest)
    await asyncio.sleep(0)
    going_on.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going_on
    assert cleaned_up


async def test_an_error_is_raised_where_it_is_met() -> None:
    async def fail(first: bool) -> None:
        if not first:
            await asyncio.sleep(0)
        raise LookupError("no room")

    with pytest.raises(LookupError):
        begin(fail(first=True))
    rest = begin(fail(first=False))
    assert rest is not None
    with pytest.raises(LookupError):
        await rest
