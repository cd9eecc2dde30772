"""Jobs as the command line knows them: those of the state topics, and those no worker took yet."""

import time

from events.log_reader import LogReader
from events.pending import pending_jobs
from events.settings import ClientSettings
from events.state_view import JobView, read_view, sources_of
from events.topics import JOBS


async def known_jobs(settings: ClientSettings, source: str | None = None) -> list[JobView]:
    """Every job known, of one source or of all."""
    now_ms = time.time_ns() // 1_000_000
    async with LogReader(settings) as reader:
        # First: a job that is taken meanwhile is then seen twice, never missing.
        waiting = await pending_jobs(reader, settings) if source in (None, JOBS) else []
        sources = [source] if source else sources_of(settings.app_id, await reader.topics())
        views = [await read_view(reader, settings.app_id, each) for each in sources]
    found = {job.job_id: job for job in waiting}
    found |= {job.job_id: job for view in views for job in view.jobs(now_ms)}
    return list(found.values())


async def find_job(settings: ClientSettings, job_id: str) -> JobView | None:
    """What is known of one job."""
    return next((job for job in await known_jobs(settings) if job.job_id == job_id), None)
