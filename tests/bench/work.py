"""The job every contender runs: nothing, 100 ms of waiting, or noting how long the message was under way."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson

from tests.bench.contest import IO_SECONDS, Duty, Row
from tests.bench.tally import Tally

Work = Callable[[bytes], Awaitable[None]]


def work_for(duty: Duty) -> Work:
    """The coroutine function to call with each message's JSON bytes."""
    tally = Tally(duty.tally)

    async def nothing(message: bytes) -> None:
        tally.done()

    async def wait(message: bytes) -> None:
        await asyncio.sleep(IO_SECONDS)
        tally.done()

    async def note(message: bytes) -> None:
        read = orjson.loads(message)
        tally.arrived(read["number"], read["sent_ns"])

    return {Row.EMPTY: nothing, Row.IO: wait, Row.LATENCY: note}[duty.row]
