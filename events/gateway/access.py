"""Who asks, and whether they may: API keys, sessions of pages, and anybody on a gateway without keys."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.requests import HTTPConnection

from events.gateway import csrf
from events.gateway.keys import ANONYMOUS, Caller, KeyRing, Scope
from events.gateway.problems import problem
from events.gateway.ratelimit import RateLimit
from events.gateway.sessions import COOKIE, Sessions
from events.gateway.settings import is_loopback

_BEARER: Final = "bearer "


class Access:
    """Decides for every request. `guesses` bounds wrong keys of one address."""

    def __init__(self, keys: KeyRing, sessions: Sessions, *, requests: RateLimit, guesses: RateLimit) -> None:
        self.keys = keys
        self.sessions = sessions
        self._requests = requests
        self._guesses = guesses

    def check(self, request: HTTPConnection, scope: Scope) -> Caller:
        """The caller. Raises a problem for one who is not known, may not, or is too fast."""
        caller = self._caller(request)
        request.scope["headrace.caller"] = caller.id
        wait = self._requests.take(caller.id)
        if wait:
            raise problem("too-many-requests", "This caller sends faster than allowed.", retry_after=wait)
        if scope not in caller.scopes:
            raise problem("not-allowed", f"This needs a key with the scope {scope}.", scope=str(scope))
        return caller

    def _caller(self, request: HTTPConnection) -> Caller:
        if not self.keys:
            # Whatever page a browser on this machine shows must not get here, by name tricks either.
            if not is_loopback(_host_of(request)):
                raise problem(
                    "cross-site", "Without keys the gateway answers under names of this machine only."
                )
            csrf.refuse_other_sites(request)
            return ANONYMOUS
        given = request.headers.get("authorization")
        if given is not None:
            return self._by_key(request, given)
        cookie = request.cookies.get(COOKIE)
        caller = None if cookie is None else self.signed_in(cookie)
        if caller is None:
            raise self._unknown("Send `Authorization: Bearer <key>`.")
        csrf.refuse_other_sites(request)
        return caller

    def signed_in(self, cookie: str) -> Caller | None:
        """The caller a session is of."""
        key_id = self.sessions.key_id(cookie)
        return None if key_id is None else self.keys.by_id(key_id)

    def _by_key(self, request: HTTPConnection, given: str) -> Caller:
        key = given[len(_BEARER) :].strip() if given[: len(_BEARER)].lower() == _BEARER else None
        caller = self.by_key(request, key) if key else None
        if caller is None:
            raise self._unknown("The key is not known." if key else "Send `Authorization: Bearer <key>`.")
        return caller

    def by_key(self, request: HTTPConnection, key: str) -> Caller | None:
        """The holder of a key. Raises a problem for an address that guesses."""
        caller = self.keys.caller(key)
        if caller is None and (wait := self._guesses.take(request.client.host if request.client else "")):
            raise problem("too-many-requests", "Too many wrong keys from this address.", retry_after=wait)
        return caller

    def _unknown(self, detail: str) -> Exception:
        refused = problem("not-authenticated", detail)
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused


def needs(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """A FastAPI dependency: the caller, who has this scope."""

    async def caller(request: Request) -> Caller:
        access: Access = request.app.state.access
        return access.check(request, scope)

    return caller


def _host_of(request: HTTPConnection) -> str:
    host = request.headers.get("host", "")
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and ":" in host else host
