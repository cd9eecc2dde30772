"""A JobQueue in a FastAPI application: opened with it, closed with it, a dependency of its routes.

app = FastAPI(lifespan=lifespan())

@app.post("/orders")
async def order(queue: Annotated[JobQueue, Depends(get_queue)]) -> str:
    return (await queue.enqueue("bill", order=17)).job_id
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from events.queue import JobQueue
from events.settings import ClientSettings

_STATE: Final = "headrace_queue"


def lifespan(
    settings: ClientSettings | None = None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The lifespan of an application that needs no other: `FastAPI(lifespan=lifespan())`.

    Settings are read from HEADRACE_* variables when the application starts, unless given.
    """

    @asynccontextmanager
    async def with_queue(app: FastAPI) -> AsyncIterator[None]:
        async with queue_of(app, settings):
            yield

    return with_queue


@asynccontextmanager
async def queue_of(app: FastAPI, settings: ClientSettings | None = None) -> AsyncIterator[JobQueue]:
    """Give the application its queue, inside a lifespan of its own. Raises BrokerUnreachable."""
    async with JobQueue(settings) as queue:
        setattr(app.state, _STATE, queue)
        try:
            yield queue
        finally:
            delattr(app.state, _STATE)


def get_queue(connection: HTTPConnection) -> JobQueue:
    """The application's queue: `queue: Annotated[JobQueue, Depends(get_queue)]`. Also for websockets."""
    queue = getattr(connection.app.state, _STATE, None)
    if not isinstance(queue, JobQueue):
        raise RuntimeError("the application has no queue: FastAPI(lifespan=events.fastapi.lifespan())")
    return queue
