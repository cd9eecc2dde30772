"""`/health/live`, `/health/ready` and `/metrics`."""

import math
from typing import Any

from fastapi import APIRouter, Request, Response

from events.gateway.access import Access
from events.gateway.keys import Scope
from events.gateway.parts import parts_of
from events.gateway.problems import documented, problem

router = APIRouter(tags=["operation"])


@router.get("/health/live", operation_id="live", summary="Whether a restart would not help",
            responses=documented("not-ready"))  # fmt: skip
async def live(request: Request) -> dict[str, bool]:
    """The process answers, and whatever keeps it from being ready can pass."""
    status = parts_of(request).status
    if status is not None and not status.alive:
        raise problem("not-ready", "The reading of Kafka has ended: see the log.", missing=["status"])
    return {"live": True}


@router.get("/health/ready", operation_id="ready", summary="Whether it can take and answer everything",
            responses=documented("not-ready"))  # fmt: skip
async def ready(request: Request) -> dict[str, bool]:
    """Connected to Kafka, and has read what it must know."""
    parts = parts_of(request)
    missing = [
        name
        for name, is_ready in (
            ("kafka", parts.sender.is_connected),
            ("registry", parts.registry_tail.ready.is_set()),
            ("jobs", parts.jobs_tail.ready.is_set()),
            ("running", not parts.stopping.is_set()),
            ("status", parts.status is None or parts.status.ready),
        )
        if not is_ready
    ]
    if missing:
        raise problem("not-ready", f"Not yet: {', '.join(missing)}.", retry_after=1, missing=missing)
    return {"ready": True}


_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format."}
}


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={**_TEXT, **documented("not-authenticated", "not-allowed", "cross-site", "too-many-requests")},
)
async def metrics(request: Request) -> Response:
    parts = parts_of(request)
    if not parts.settings.gateway_metrics_open:
        access: Access = request.app.state.access
        access.check(request, Scope.READ)
    parts.metrics.keys.set(len(parts.seen.keys))
    lag_seconds = None if parts.status is None else parts.status.lag_seconds
    parts.metrics.status_lag.set(math.nan if lag_seconds is None else lag_seconds)
    return Response(parts.metrics.text(), media_type=parts.metrics.content_type)
