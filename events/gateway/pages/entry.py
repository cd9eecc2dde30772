"""Signing in with a key, and out."""

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from events.gateway.pages.visit import HOME, Visit
from events.gateway.sessions import COOKIE

_MAX_KEY_CHARACTERS: Final = 1_000


async def show(visit: Visit) -> Response:
    """The form, and why it is there again."""
    return _form(visit)


async def sign_in(visit: Visit) -> Response:
    """A session for the holder of a key."""
    key = visit.form.get("key", "").strip()
    caller = visit.access.by_key(visit.request, key) if 0 < len(key) <= _MAX_KEY_CHARACTERS else None
    if caller is None:
        return _form(visit, wrong=True)
    sessions = visit.access.sessions
    response = visit.go(_inside(visit.form.get("next", "")))
    response.set_cookie(
        COOKIE,
        sessions.sign(caller.id),
        max_age=sessions.lifetime_seconds,
        path="/",
        secure=_is_encrypted(visit),
        httponly=True,
        samesite="strict",
    )
    return response


async def sign_out(visit: Visit) -> Response:
    """The session ends in this browser."""
    response = visit.go("/login")
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def _is_encrypted(visit: Visit) -> bool:
    """Whether the browser speaks TLS, be it to a proxy: one that lies here harms its own session only."""
    request = visit.request
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").lower())


def _form(visit: Visit, *, wrong: bool = False) -> Response:
    following = visit.form.get("next", "") or visit.asked("next")
    return visit.page(
        "login.html",
        status=401 if wrong else 200,
        wrong=wrong,
        following=following if _inside(following) != HOME else "",
        has_keys=bool(visit.access.keys),
    )


def _inside(target: str) -> str:
    """Where to go after signing in: one of our pages, whatever was asked for."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    ours = parts.path == HOME or parts.path.startswith(f"{HOME}/")
    if parts.scheme or parts.netloc or not ours or "\\" in target or not target.isprintable():
        return HOME
    return target
