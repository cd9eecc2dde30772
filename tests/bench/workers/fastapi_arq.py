"""A FastAPI endpoint that enqueues with ARQ, as its users write it: the peer of `POST /jobs`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from arq import create_pool
from arq.connections import RedisSettings
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

TASKS = {"send_email"}


class Arguments(BaseModel):
    to: str
    subject: str
    body: str


class Submission(BaseModel):
    task: str
    args: Arguments
    options: dict[str, Any] = {}


class Accepted(BaseModel):
    job_id: str
    status_url: str
    state: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.redis = await create_pool(RedisSettings(host="127.0.0.1", port=int(os.environ["REDIS_PORT"])))
    yield
    await app.state.redis.aclose()


app = FastAPI(lifespan=lifespan)


@app.post("/jobs", status_code=202)
async def enqueue(submission: Submission) -> Accepted:
    if submission.task not in TASKS:
        raise HTTPException(404)
    job = await app.state.redis.enqueue_job(submission.task, **submission.args.model_dump())
    return Accepted(job_id=job.job_id, status_url=f"/jobs/{job.job_id}", state="pending")


@app.get("/health/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
