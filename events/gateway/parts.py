"""What the routes of the gateway work with, put together once per process."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request

from events.bulk_sender import BulkSender
from events.gateway.announced import Announced
from events.gateway.intake import Intake
from events.gateway.metrics import GatewayMetrics
from events.gateway.seen import SeenRequests
from events.gateway.settings import GatewaySettings
from events.tail import Tail


class Located(Protocol):
    """Where a job is. `at` is the place of its request or event, None when it is not known."""

    @property
    def source(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def at(self) -> Any: ...
    @property
    def task(self) -> str | None: ...


class Status(Protocol):
    """What the routes that change something need of the read model."""

    async def locate(self, job_id: str) -> Located | None: ...

    async def answer(self, command_id: str, timeout: float) -> Mapping[str, Any] | None: ...

    def schedules(self) -> Mapping[str, Mapping[str, Any]]: ...

    @property
    def ready(self) -> bool: ...

    @property
    def alive(self) -> bool:
        """Whether reading will ever go on."""

    @property
    def lag_seconds(self) -> float | None: ...


@dataclass(slots=True)
class Parts:
    """The parts of one gateway."""

    settings: GatewaySettings
    metrics: GatewayMetrics
    sender: BulkSender
    announced: Announced
    seen: SeenRequests
    registry_tail: Tail
    jobs_tail: Tail
    intake: Intake
    status: Status | None
    stopping: asyncio.Event
    now_ms: Callable[[], int]


def parts_of(request: Request) -> Parts:
    """The parts of the gateway a request came to."""
    found: Parts = request.app.state.parts
    return found
