"""The gateway put together: parts, routes, and what runs beside them."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from events.bulk_sender import BulkSender
from events.errors import BrokerDown, BrokerUnreachable
from events.gateway import (
    command_routes,
    event_routes,
    health,
    job_routes,
    problem_pages,
    read_lists,
    reads,
)
from events.gateway.access import Access
from events.gateway.announced import Announced
from events.gateway.edge import Edge, Quick
from events.gateway.errors import answer_with_problems
from events.gateway.intake import Intake
from events.gateway.keys import load_keys
from events.gateway.metrics import GatewayMetrics
from events.gateway.openapi import document_of
from events.gateway.pages.asking import RouteCommands
from events.gateway.pages.lagging import Lags
from events.gateway.pages.reading import StatusPages
from events.gateway.pages.router import add_pages
from events.gateway.parts import Parts, Status
from events.gateway.ratelimit import RateLimit
from events.gateway.seen import Depths, SeenRequests, UsedKeys
from events.gateway.sessions import Sessions
from events.gateway.settings import GatewaySettings
from events.pending import committed_offsets
from events.status.reader import StatusReader
from events.tail import Tail
from events.times import now_ms
from events.topics import jobs_source, registry_topic

log = structlog.get_logger(__name__)

CONNECT_AGAIN_SECONDS: Final = 0.5
COMMITTED_SECONDS: Final = 1.0
UNLIMITED_SECONDS: Final = 10.0  # only so that nothing piles up
WRONG_KEYS_PER_SECOND: Final = 5.0
WRONG_KEYS_AT_ONCE: Final = 50


def create_app(
    settings: GatewaySettings,
    *,
    status: Status | None = None,
    now_ms: Callable[[], int] = now_ms,
    version: str = "0",
) -> FastAPI:
    """The ASGI application. Its lifespan connects to Kafka, and waits for it as long as it takes.

    `status` answers where jobs are; without it routes that need one say that they are not ready.
    Raises InvalidSettings.
    """
    parts = _parts(settings, status, now_ms)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(parts):
            if isinstance(status, AbstractAsyncContextManager):
                async with status:
                    yield
            else:
                yield

    app = _Application(
        title="Headrace",
        version=version,
        description="Background jobs on Kafka. Errors are RFC 9457 problems; their types are pages under "
        "[/problems](/problems).",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        default_response_class=JSONResponse,
    )
    app.edge = Edge(
        functools.partial(FastAPI.__call__, app),
        max_body_bytes=settings.gateway_max_body_bytes,
        metrics=parts.metrics,
        quick=[
            Quick("POST", "/jobs", job_routes.enqueue, "/jobs"),
            Quick("POST", "/jobs/bulk", job_routes.enqueue_bulk, "/jobs/bulk"),
            Quick("GET", "/jobs/", reads.get_job_quickly, "/jobs/{job_id:path}"),
        ],
    )
    app.state.parts = parts
    app.state.access = _access(settings)
    app.state.status = status
    answer_with_problems(app)
    writing = (job_routes, event_routes, command_routes)
    for module in (*writing, reads, read_lists, problem_pages, health):
        app.include_router(module.router)
    if isinstance(status, StatusReader):
        add_pages(app, StatusPages(status, lags=Lags(settings).read), RouteCommands())
    app.openapi = lambda: document_of(app)  # type: ignore[method-assign]
    app.add_api_route("/openapi.json", app.openapi, include_in_schema=False)
    return app


class _Application(FastAPI):
    """FastAPI inside the edge."""

    edge: Edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        await self.edge(scope, receive, send)


def _access(settings: GatewaySettings) -> Access:
    keys = load_keys(settings)
    secret = settings.gateway_session_secret
    sessions = Sessions(
        secret.get_secret_value().encode() if secret else None,
        lifetime_seconds=settings.gateway_session_seconds,
        clock=time.time,
    )
    requests = RateLimit(
        settings.gateway_requests_per_second, settings.gateway_burst_requests, clock=time.monotonic
    )
    guesses = RateLimit(WRONG_KEYS_PER_SECOND, WRONG_KEYS_AT_ONCE, clock=time.monotonic)
    if not keys:
        log.warning(
            "gateway_without_keys", host=settings.gateway_host, means="anybody on this machine may do all"
        )
    return Access(keys, sessions, requests=requests, guesses=guesses)


def _parts(settings: GatewaySettings, status: Status | None, now_ms: Callable[[], int]) -> Parts:
    sender = BulkSender(
        settings,
        max_message_bytes=settings.max_message_bytes,
        timeout_seconds=settings.gateway_kafka_timeout_seconds,
    )
    announced = Announced()
    lifetime_ms = settings.gateway_idempotency_seconds * 1000
    seen = SeenRequests(
        UsedKeys(lifetime_ms=lifetime_ms, most=settings.gateway_max_idempotency_keys), Depths()
    )

    async def start(consumer: Any, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return await _where_keys_began(consumer, places, settings, now_ms() - lifetime_ms)

    jobs_tail = Tail(settings, jobs_source(settings.app_id).topics, seen.take, start=start)
    registry_tail = Tail(settings, [registry_topic(settings.app_id)], announced.take)
    return Parts(
        settings=settings,
        metrics=GatewayMetrics(),
        sender=sender,
        announced=announced,
        seen=seen,
        registry_tail=registry_tail,
        jobs_tail=jobs_tail,
        intake=Intake(settings, sender, announced, seen, jobs_tail, now_ms=now_ms),
        status=status,
        stopping=asyncio.Event(),
        now_ms=now_ms,
    )


async def _where_keys_began(
    consumer: Any, places: Collection[TopicPartition], settings: GatewaySettings, since_ms: int
) -> dict[TopicPartition, int]:
    """Where the time of keys begins, or where work still waits, whichever is earlier."""
    found: Mapping[TopicPartition, Any] = await consumer.offsets_for_times(dict.fromkeys(places, since_ms))
    first = await consumer.beginning_offsets(list(places))
    ends = await consumer.end_offsets(list(places))
    try:
        committed = await committed_offsets(settings)
    except BrokerDown:
        committed = {}
    starts = {}
    for place in places:
        at = found.get(place)
        by_time = ends[place] if at is None else at.offset
        starts[place] = max(first[place], min(by_time, committed.get(place, first[place])))
    return starts


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """Everything that runs beside the routes, for as long as the application does."""
    tasks = [
        asyncio.create_task(_connect(parts.sender)),
        asyncio.create_task(parts.registry_tail.run()),
        asyncio.create_task(parts.jobs_tail.run()),
        asyncio.create_task(_watch_committed(parts)),
    ]
    try:
        yield
    finally:
        parts.stopping.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.sender.stop()


async def _connect(sender: BulkSender) -> None:
    while not sender.is_connected:
        try:
            await sender.start()
            log.info("gateway_connected")
        except BrokerUnreachable as error:
            log.warning("kafka_unreachable", error=str(error))
            await asyncio.sleep(CONNECT_AGAIN_SECONDS)


async def _watch_committed(parts: Parts) -> None:
    """Depth of lanes: what the group has committed waits no more."""
    while True:
        is_limited = parts.intake.has_limits
        await asyncio.sleep(COMMITTED_SECONDS if is_limited else UNLIMITED_SECONDS)
        try:
            committed = await committed_offsets(parts.settings)
        except (BrokerDown, OSError) as error:
            log.warning("committed_offsets_unknown", error=repr(error))
            continue
        for topic in jobs_source(parts.settings.app_id).topics:
            for place, offset in committed.items():
                if place.topic == topic:
                    parts.seen.depths.committed(place, offset)
