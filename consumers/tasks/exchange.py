"""One HTTP call and what its answer means for a job.

Lost connections are tried again at once, a few times; every try carries the same Idempotency-Key, so a
server that honours it acts once. After that the answer decides: done, dead letter, or another attempt when
the server says.
"""

import datetime as dt
import email.utils
import math
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import orjson
import stamina

from consumers import Fail, Retry

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
CONNECTION_TRIES: Final = 3
READ_BYTES: Final = 100_000
"""So much of an answer is read: results have a limit, and so has memory."""
KEPT_CHARACTERS: Final = 2000
"""So much of an answer that is no JSON, or too long, is kept as text."""

# The server did not say no to the request, only not now: Request Timeout, Too Early, Too Many Requests.
TEMPORARY: Final = frozenset({408, 425, 429})
_LOST_CONNECTION: Final = (httpx2.NetworkError, httpx2.ConnectTimeout, httpx2.RemoteProtocolError)
_WRONG_CALL: Final = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask of whom. `key` tells repeats of one request from two requests."""

    method: str
    url: str
    key: str
    json: Any = None
    headers: dict[str, str] | None = None


async def exchange(client: httpx2.AsyncClient, call: Call, *, longest_wait_seconds: float) -> dict[str, Any]:
    """The answer as `{"status", "body"}`.

    Raises Fail (no sense in asking again), Retry (not now), or the connection's error for the retry policy
    to judge.
    """
    try:
        response, content = await _send(client, call)
    except _WRONG_CALL as error:
        raise Fail(f"{call.method} {call.url}: {error}") from error
    judge(response, now=dt.datetime.now(dt.UTC), longest_wait_seconds=longest_wait_seconds)
    return {"status": response.status_code, "body": _body(response, content)}


async def _send(client: httpx2.AsyncClient, call: Call) -> tuple[httpx2.Response, bytes]:
    headers = {**(call.headers or {}), IDEMPOTENCY_KEY: call.key}
    tries = stamina.retry_context(
        on=_LOST_CONNECTION, attempts=CONNECTION_TRIES, wait_initial=0.1, wait_max=1.0, wait_jitter=0.1
    )
    async for attempt in tries:
        with attempt:
            async with client.stream(call.method, call.url, json=call.json, headers=headers) as response:
                return response, await _beginning(response)
    raise AssertionError("stamina returns or raises")


async def _beginning(response: httpx2.Response) -> bytes:
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) >= READ_BYTES:
            break
    return content[:READ_BYTES]


def judge(response: httpx2.Response, *, now: dt.datetime, longest_wait_seconds: float) -> None:
    """Return for an answer that settles the call, raise for every other."""
    status = response.status_code
    if 200 <= status < 300:
        return
    said = f"{response.request.method} {response.request.url.copy_with(query=None)} answered {status}"
    if status < 500 and status not in TEMPORARY:
        raise Fail(said)
    wait_seconds = retry_after_seconds(response.headers.get("Retry-After"), now)
    if wait_seconds is None:
        raise Retry(said)  # when, the task's backoff decides
    raise Retry(said, defer=min(wait_seconds, longest_wait_seconds))


def retry_after_seconds(header: str | None, now: dt.datetime) -> float | None:
    """How long a Retry-After (RFC 9110, 10.2.3: seconds or a date) asks to wait, None if it says nothing."""
    if header is None:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        seconds = float(header)
        return seconds if math.isfinite(seconds) else None
    try:
        date = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    if date.tzinfo is None:  # "-0000" and the two obsolete formats carry no zone and mean UTC
        date = date.replace(tzinfo=dt.UTC)
    return max((date - now).total_seconds(), 0.0)


def _body(response: httpx2.Response, content: bytes) -> Any:
    if "json" in response.headers.get("content-type", ""):
        try:
            return orjson.loads(content)
        except ValueError:
            pass  # it said JSON and was none, or was cut off: kept as text like everything else
    return content.decode(response.encoding or "utf-8", "replace")[:KEPT_CHARACTERS]
