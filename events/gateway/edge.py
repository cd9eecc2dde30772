"""The outermost layer of the gateway: size, headers, one log line and the metrics of every request."""

import random
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, NamedTuple

import structlog
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from events.gateway.errors import tell_fault
from events.gateway.metrics import GatewayMetrics
from events.gateway.problems import Problem, problem

log = structlog.get_logger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


class Quick(NamedTuple):
    """An endpoint called without the framework's way to it, which costs as much as taking or telling a job.

    It is a route of the application as well, where it is documented. `path` ending in `/` stands for every
    path one level below it, asked for without a query; `route` is what metrics and log call it.
    """

    method: str
    path: str
    endpoint: Endpoint
    route: str


LINES_PER_SECOND: Final = 200
QUIET: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_POLICY: Final = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", _POLICY),
]
_NO_STORE: Final = (b"cache-control", b"no-store")


class Edge:
    """Around the whole application. `max_body_bytes` holds for announced and for streamed bodies alike."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        metrics: GatewayMetrics,
        quick: Iterable[Quick] = (),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._metrics = metrics
        self._quick = {(each.method, each.path): each for each in quick}
        self._quickly = ServerErrorMiddleware(self._answer, handler=tell_fault)
        self._clock = clock
        self._lines = LineBudget(LINES_PER_SECOND, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock()
        scope["headrace.request_id"] = request_id = f"{random.getrandbits(64):016x}"
        scope["headrace.quick"] = quick = self._quick_for(scope)
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, request_id)
            await send(message)

        self._metrics.in_flight.inc()
        try:
            announced = _content_length(scope)
            if announced is not None and announced > self._max_body_bytes:
                await self._too_large().response()(scope, receive, sending)
            elif quick is not None:
                await self._quickly(scope, self._bounded(receive), sending)
            else:
                await self._app(scope, self._bounded(receive), sending)
        finally:
            self._metrics.in_flight.dec()
            self._note(scope, status, self._clock() - started, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await scope["headrace.quick"].endpoint(Request(scope, receive))
        except Problem as wrong:
            response = wrong.response()
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    def _quick_for(self, scope: Scope) -> Quick | None:
        method, path = scope["method"], scope["path"]
        above, _, last = path.rpartition("/")
        if not last:
            return None
        exact = self._quick.get((method, path))
        if exact is not None or scope["query_string"]:
            return exact
        return self._quick.get((method, above + "/"))

    def _bounded(self, receive: Receive) -> Receive:
        taken = 0

        async def receiving() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body") or b"")
            if taken > self._max_body_bytes:
                raise self._too_large()
            return message

        return receiving

    def _too_large(self) -> Any:
        limit = self._max_body_bytes
        return problem("too-large", f"At most {limit} bytes are taken at once.", limit_bytes=limit)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        quick = scope["headrace.quick"]
        route = getattr(scope.get("route"), "path", "none") if quick is None else quick.route
        self._metrics.note(scope["method"], route, status, seconds)
        if scope["path"] in QUIET and status < 400:
            return
        if status < 400 and not self._lines.allows():
            return
        log.log(
            40 if status >= 500 and scope["path"] not in QUIET else 20,
            "request",
            method=scope["method"],
            path=scope["path"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            caller=scope.get("headrace.caller"),
            request_id=request_id,
        )


class LineBudget:
    """At most so many lines each second; says how many were left out when the next second begins."""

    def __init__(self, per_second: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._second = 0
        self._asked = 0

    def allows(self) -> bool:
        second = int(self._clock())
        if second != self._second:
            dropped = self._asked - self._per_second
            self._second, self._asked = second, 0
            if dropped > 0:
                log.info("requests_not_logged", count=dropped)
        self._asked += 1
        return self._asked <= self._per_second


def _add_headers(message: MutableMapping[str, Any], request_id: str) -> None:
    headers = list(message.get("headers") or ())
    names = {name.lower() for name, _ in headers}
    headers += [pair for pair in _SECURITY if pair[0] not in names]
    if b"cache-control" not in names:
        headers.append(_NO_STORE)
    headers.append((b"x-request-id", request_id.encode()))
    message["headers"] = headers


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None
