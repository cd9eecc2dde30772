"""A service that hands work to its workers: `uvicorn tests.integration.fastapi_app:app`."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException

from events.errors import JobNotCompleted
from events.fastapi import get_queue, lifespan
from events.queue import JobQueue

app = FastAPI(lifespan=lifespan())
Queue = Annotated[JobQueue, Depends(get_queue)]


@app.post("/echoes", status_code=202)
async def start(value: str, queue: Queue) -> dict[str, str]:
    job = await queue.enqueue("echo", value=value)
    return {"job_id": job.job_id}


@app.get("/echoes/{value}")
async def wait_for(value: str, queue: Queue) -> Any:
    job = await queue.enqueue("echo", value=value)
    try:
        return await job.result(timeout=10)
    except TimeoutError:
        raise HTTPException(504, "not done yet") from None
    except JobNotCompleted as error:
        raise HTTPException(502, str(error)) from error
