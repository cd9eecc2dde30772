"""Whatever goes wrong inside a route becomes a problem; nothing of our inside is told."""

from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from events.errors import BrokerDown, BrokerUnreachable
from events.gateway.intake import unavailable
from events.gateway.problems import CATALOGUE, ErrorPlace, Problem, pointer, problem
from events.gateway.submission import invalid
from events.status.errors import Behind

log = structlog.get_logger(__name__)

_OF_STATUS: Final = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
_PARAMETERS: Final = frozenset({"query", "path", "cookie"})


def answer_with_problems(app: FastAPI) -> None:
    """Install the handlers."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for away in (BrokerDown, BrokerUnreachable):
        app.add_exception_handler(away, _away)
    app.add_exception_handler(Behind, _behind)
    app.add_exception_handler(Exception, tell_fault)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = []
    for each in error.errors():
        if each["type"] == "json_invalid":
            return problem("not-json", f"The body is not JSON: {each['ctx']['error']}.").response()
        places.append(_place(tuple(each["loc"]), str(each["msg"])))
    return invalid(*places).response()


def _place(loc: tuple[Any, ...], message: str) -> ErrorPlace:
    where, path = loc[0], loc[1:]
    if where in _PARAMETERS:
        return ErrorPlace(parameter=str(path[0]) if path else str(where), detail=message)
    if where == "header":
        return ErrorPlace(header=str(path[0]) if path else "", detail=message)
    return ErrorPlace(pointer=pointer(*path), detail=message)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    slug = _OF_STATUS.get(error.status_code)
    if slug is None:
        kind = CATALOGUE["invalid-request"]
        return Problem(error.status_code, kind.slug, kind.title, str(error.detail)).response()
    known = problem(slug, f"{request.method} {request.url.path[:200]}")
    known.headers |= dict(error.headers or {})
    return known.response()


async def _away(_: Request, error: Exception) -> Response:
    log.warning("kafka_away", error=str(error))
    return unavailable("Kafka does not say how much there is to read.").response()


async def _behind(_: Request, error: Exception) -> Response:
    return problem("not-ready", str(error), retry_after=1).response()


async def tell_fault(request: Request, error: Exception) -> Response:
    request_id = request.scope.get("headrace.request_id")
    """Log what happened, and tell nothing of it."""
    log.error("request_failed", request_id=request_id, path=request.url.path, exc_info=error)
    return problem("internal", "Something went wrong that should not.", request_id=request_id).response()
