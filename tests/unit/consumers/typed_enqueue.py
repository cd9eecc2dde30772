"""What a checker must see: `mypy --strict` finds nothing here, and every ignore is needed."""

from consumers import Context, task
from events.queue import JobQueue


@task
async def send_email(ctx: Context, to: str, subject: str, copies: int = 1) -> None: ...


@task(name="in_thread", max_tries=2)
def in_thread(ctx: Context, path: str) -> int:
    return 1


async def right(queue: JobQueue) -> None:
    await queue.enqueue(send_email, to="a@b.example", subject="s")
    await queue.enqueue(send_email, "a@b.example", "s", copies=2)
    await queue.enqueue(send_email.options(defer_by=60, unique=True), to="a@b.example", subject="s")
    await queue.enqueue(in_thread, path="/tmp")
    await queue.enqueue("by_name", {"any": 1})
    await queue.enqueue("by_name", any=1)
    job = await queue.enqueue(in_thread, "/tmp")
    await job.result(timeout=5)
    await job.cancel(reason="why")


async def wrong(queue: JobQueue) -> None:
    await queue.enqueue(send_email, to=5, subject="s")  # type: ignore[call-overload]
    await queue.enqueue(send_email, to="a")  # type: ignore[call-overload]
    await queue.enqueue(send_email, to="a", subject="s", color="red")  # type: ignore[call-overload]
    await queue.enqueue(send_email.options(unique=True), to="a")  # type: ignore[call-overload]
    send_email.options(defer="soon")  # type: ignore[call-arg]
    send_email.options(priority="urgent")  # type: ignore[arg-type]
